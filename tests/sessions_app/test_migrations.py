"""What is stored survives a migration that changes it."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.utils import timezone

from sessions_app.models import ListPosition
from tests.factories import WorkspaceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_how_far_the_list_was_read_is_known_after_the_column_has_another_name():
    read_at = timezone.now()
    ListPosition.objects.create(workspace=WorkspaceFactory(), cursor="c", newest_read_at=read_at, adopted=3)
    try:
        call_command("migrate", "sessions_app", "0012", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    position = ListPosition.objects.get()
    assert (position.cursor, position.newest_read_at, position.adopted) == ("c", read_at, 3)
