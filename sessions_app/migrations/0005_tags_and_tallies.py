"""Tags become rows that can be looked up; the numbers beside the filters are kept instead of counted."""

from __future__ import annotations

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0004_lists_across_workspaces"),
        ("workspaces_app", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LibraryTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("owner_id", models.BigIntegerField(null=True)),
                ("number", models.BigIntegerField()),
                ("film", models.BooleanField()),
                ("type", models.CharField(max_length=64)),
                ("source", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "number of things in the library",
                "verbose_name_plural": "numbers of things in the library",
            },
        ),
        migrations.CreateModel(
            name="SessionTag",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=40)),
            ],
            options={
                "verbose_name": "tag",
                "verbose_name_plural": "tags",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="SessionTally",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("workspace_id", models.UUIDField()),
                ("owner_id", models.BigIntegerField(null=True)),
                ("number", models.BigIntegerField()),
                ("archived", models.BooleanField()),
                ("group", models.CharField(max_length=16)),
            ],
            options={
                "verbose_name": "number of sessions",
                "verbose_name_plural": "numbers of sessions",
            },
        ),
        migrations.RemoveIndex(
            model_name="resource",
            name="resource_counts",
        ),
        migrations.RemoveField(
            model_name="videosession",
            name="tags",
        ),
        migrations.AddIndex(
            model_name="librarytally",
            index=models.Index(fields=["workspace_id"], name="library_tally"),
        ),
        migrations.AddField(
            model_name="sessiontag",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tags",
                to="sessions_app.videosession",
            ),
        ),
        migrations.AddField(
            model_name="sessiontag",
            name="workspace",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="workspaces_app.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="sessiontally",
            index=models.Index(fields=["workspace_id", "archived"], name="session_tally"),
        ),
        migrations.AddIndex(
            model_name="sessiontag",
            index=models.Index(fields=["workspace", "name"], name="session_tag_names"),
        ),
        migrations.AddConstraint(
            model_name="sessiontag",
            constraint=models.UniqueConstraint(
                models.F("session"), django.db.models.functions.text.Lower("name"), name="session_tag_once"
            ),
        ),
    ]
