"""What is stored survives a migration that changes it."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from tests.factories import MembershipFactory, UserFactory
from workspaces_app.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_get_public_ids_and_bookmarks_of_members_go_on_to_lead_to_them():
    member = MembershipFactory()
    MembershipFactory(user=member.user)
    others = [UserFactory(), UserFactory()]
    try:
        call_command("migrate", "workspaces_app", "0005", verbosity=0)
    finally:
        call_command("migrate", verbosity=0)
    ids = dict(User.objects.values_list("pk", "public_id"))
    assert ids[member.user.pk] == member.pk
    assert len({ids[other.pk] for other in others} | {member.pk}) == 3
