"""A picture's size in pixels, so that a grid leaves room for it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0007_approvals_and_snoozes"),
    ]

    operations = [
        migrations.AddField(
            model_name="mediafile",
            name="height",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="mediafile",
            name="width",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
    ]
