"""A name that says what is stored: it never was the moment of the first read."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0012_failed_index"),
    ]

    operations = [
        migrations.RenameField("listposition", "first_read_at", "newest_read_at"),
    ]
