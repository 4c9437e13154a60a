"""A public id for each person, so that an address can name somebody who is in no workspace any more."""

from typing import Any

import uuid6
from django.db import migrations, models


def name_people(apps: Any, schema_editor: Any) -> None:
    """Whoever is in a workspace gets the id that addresses of filtered lists named them by: bookmarks go on to lead there."""
    User = apps.get_model("workspaces_app", "User")
    Membership = apps.get_model("workspaces_app", "Membership")
    first = dict(Membership.objects.order_by("-pk").values_list("user_id", "pk"))
    for pk in User.objects.filter(public_id=None).values_list("pk", flat=True):
        User.objects.filter(pk=pk).update(public_id=first.get(pk) or uuid6.uuid7())


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces_app", "0005_glossaries_and_facets"),
    ]

    operations = [
        migrations.AddField("user", "public_id", models.UUIDField(null=True, editable=False)),
        migrations.RunPython(name_people, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "user", "public_id", models.UUIDField(default=uuid6.uuid7, editable=False, unique=True)
        ),
    ]
