"""How far people have read, how long the agent usually works, and notes that can be changed by their authors."""

from typing import Any

import django.db.models.deletion
import uuid6
from django.conf import settings
from django.db import migrations, models


def name_notes(apps: Any, schema_editor: Any) -> None:
    """A default of a new column is one value for all rows: each note gets its own."""
    Note = apps.get_model("sessions_app", "Note")
    for note in Note.objects.filter(public_id=None).only("pk").iterator():
        Note.objects.filter(pk=note.pk).update(public_id=uuid6.uuid7())


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces_app", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("sessions_app", "0005_tags_and_tallies"),
    ]

    operations = [
        migrations.AddField("note", "public_id", models.UUIDField(null=True, editable=False)),
        migrations.AddField("note", "edited_at", models.DateTimeField(blank=True, null=True)),
        migrations.RunPython(name_notes, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "note", "public_id", models.UUIDField(default=uuid6.uuid7, editable=False, unique=True)
        ),
        migrations.CreateModel(
            name="ReadMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("at", models.DateTimeField(auto_now=True)),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_marks",
                        to="sessions_app.videosession",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="read_marks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "read mark",
                "verbose_name_plural": "read marks",
                "constraints": [models.UniqueConstraint(fields=("session", "user"), name="read_mark_once")],
            },
        ),
        migrations.CreateModel(
            name="StatusSpell",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(help_text="As HeyGen gave it, in small letters.", max_length=64),
                ),
                ("seconds", models.FloatField()),
                ("ended_at", models.DateTimeField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="status_spells",
                        to="workspaces_app.workspace",
                    ),
                ),
            ],
            options={
                "verbose_name": "status spell",
                "verbose_name_plural": "status spells",
                "indexes": [
                    models.Index(fields=["workspace", "status", "-ended_at"], name="status_spell_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("seconds__gte", 0)), name="status_spell_not_negative"
                    )
                ],
            },
        ),
    ]
