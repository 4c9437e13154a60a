import django.db.models.deletion
import uuid6
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("commands", "0001_initial"),
        ("workspaces_app", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Stream",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid6.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("stream_id", models.CharField(blank=True, editable=False, max_length=255, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("tts", "Script"), ("audio", "Recording"), ("text_stream", "Live text")],
                        max_length=16,
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200)),
                ("avatar_id", models.CharField(max_length=255)),
                ("avatar_name", models.CharField(blank=True, max_length=255)),
                ("voice_id", models.CharField(blank=True, max_length=255)),
                ("voice_name", models.CharField(blank=True, max_length=255)),
                (
                    "text",
                    models.TextField(blank=True, help_text="The script, or the opening words of live text."),
                ),
                (
                    "audio",
                    models.JSONField(
                        blank=True, default=dict, help_text="A `files`-style object: url or asset_id."
                    ),
                ),
                ("status", models.CharField(blank=True, help_text="As HeyGen gave it.", max_length=64)),
                (
                    "group",
                    models.CharField(
                        choices=[
                            ("pending", "Starting"),
                            ("streaming", "Live"),
                            ("completed", "Ended"),
                            ("error", "Failed"),
                            ("unknown", "Unknown"),
                        ],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("hls_url", models.TextField(blank=True)),
                (
                    "hls_read_at",
                    models.DateTimeField(blank=True, help_text="When HeyGen gave that address.", null=True),
                ),
                ("end_reason", models.CharField(blank=True, max_length=64)),
                ("error_message", models.TextField(blank=True)),
                ("buffered_bytes", models.PositiveBigIntegerField(default=0)),
                ("words_ended", models.BooleanField(default=False)),
                ("version", models.PositiveBigIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, help_text="First seen playing.", null=True)),
                ("ended_at", models.DateTimeField(blank=True, help_text="First seen ended.", null=True)),
                ("last_text_at", models.DateTimeField(blank=True, null=True)),
                ("gone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="streams",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="streams",
                        to="workspaces_app.workspace",
                    ),
                ),
            ],
            options={
                "verbose_name": "live stream",
                "verbose_name_plural": "live streams",
            },
        ),
        migrations.CreateModel(
            name="TextDelta",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                ("text", models.TextField(blank=True)),
                ("final", models.BooleanField(default=False)),
                ("buffered_bytes", models.PositiveBigIntegerField(blank=True, null=True)),
                ("version", models.PositiveBigIntegerField(default=1)),
                (
                    "command",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="delta",
                        to="commands.command",
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deltas",
                        to="realtime_app.stream",
                    ),
                ),
            ],
            options={
                "verbose_name": "pushed text",
                "verbose_name_plural": "pushed texts",
                "ordering": ["stream", "sequence"],
            },
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("index", models.PositiveIntegerField()),
                ("word", models.CharField(max_length=255)),
                ("start", models.FloatField()),
                ("end", models.FloatField()),
                ("version", models.PositiveBigIntegerField(default=1)),
                (
                    "stream",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="words",
                        to="realtime_app.stream",
                    ),
                ),
            ],
            options={
                "verbose_name": "word",
                "verbose_name_plural": "words",
                "ordering": ["stream", "index"],
            },
        ),
        migrations.AddIndex(
            model_name="stream",
            index=models.Index(fields=["workspace", "-created_at", "-id"], name="stream_list"),
        ),
        migrations.AddConstraint(
            model_name="stream",
            constraint=models.UniqueConstraint(fields=("workspace", "stream_id"), name="stream_id_once"),
        ),
        migrations.AddConstraint(
            model_name="textdelta",
            constraint=models.UniqueConstraint(
                fields=("stream", "sequence"), name="text_delta_sequence_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="textdelta",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("text", ""), _negated=True), ("final", True), _connector="OR"),
                name="text_delta_empty_only_final",
            ),
        ),
        migrations.AddConstraint(
            model_name="word",
            constraint=models.UniqueConstraint(fields=("stream", "index"), name="word_index_once"),
        ),
    ]
