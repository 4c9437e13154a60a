"""A walk from the newest words of a workspace to its oldest, for words that are so common that an index is no help."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0002_search_index")]
    operations = [
        # The workspace's word stands first in the text: "w" and 32 digits.
        migrations.RunSQL(
            "CREATE INDEX sessions_app_searchtext_scope ON sessions_app_searchtext (substr(text, 1, 33), id)",
            "DROP INDEX sessions_app_searchtext_scope",
        )
    ]
