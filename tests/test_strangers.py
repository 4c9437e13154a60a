"""Nobody gets in: every address that names a row answers 404 to a member of another workspace, whatever the method.

The addresses come from the URL configuration itself, so a new one is tested without being written down here; only what
its parameters stand for may have to be added to `rows`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from commands.models import Command
from sessions_app.models import MediaRole, Note
from tests.factories import (
    CatalogueItemFactory,
    MediaFileFactory,
    MembershipFactory,
    MessageFactory,
    ResourceFactory,
    StreamFactory,
    UploadFactory,
    UserFactory,
    VideoSessionFactory,
)
from workspaces_app.models import Role

pytestmark = pytest.mark.django_db

# Addresses that are for nobody in particular: signed by their own secret, or for staff only.
OTHER_DOORS = ("admin", "webhooks", "ops")


def addresses(
    resolver: URLResolver | None = None, namespace: str = ""
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(full name, parameter names) of every pattern that has parameters; `kind` and `what` alone name no row."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, (namespace, pattern.namespace or "")))
            if inner.partition(":")[0] not in OTHER_DOORS:
                yield from addresses(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.pattern.converters:
            yield ":".join(filter(None, (namespace, pattern.name or ""))), tuple(pattern.pattern.converters)


NAMES = sorted((name, parameters) for name, parameters in addresses() if set(parameters) - {"kind", "what"})


def rows(name: str, membership: object) -> dict[str, object]:
    """Values of every parameter for an existing row of the workspace of `membership`."""
    workspace = membership.workspace  # type: ignore[attr-defined]
    session = VideoSessionFactory(workspace=workspace)
    stream = StreamFactory(workspace=workspace)
    of_stream = name.startswith("live:")
    command = Command.objects.create(
        kind="stream.append" if of_stream else "session.send",
        object_id=stream.pk if of_stream else session.pk,
        workspace=workspace,
        payload={"message": "Hello"},
        token=uuid.uuid4().hex,
        due_at=timezone.now(),
    )
    item = CatalogueItemFactory(workspace=workspace)
    file = MediaFileFactory(resource=ResourceFactory(session=session), role=MediaRole.MAIN)
    pk = {"live": stream.pk, "files": file.pk}.get(name.partition(":")[0], session.pk)
    if name.startswith("sessions:press-"):
        pk = command.pk
    return {
        "pk": pk,
        "slug": workspace.slug,
        "membership_id": membership.pk,  # type: ignore[attr-defined]
        "item_id": item.pk,
        "what": "picture" if "preview" in name else "register",
        "kind": "look",
        "command_id": command.pk,
        "note_id": Note.objects.create(session=session, author=None, body="Only us").public_id,
        "upload_id": UploadFactory(workspace=workspace, waits_in=session).pk,
        "position": MessageFactory(session=session).position,
    }


def test_there_are_addresses_to_test():
    assert len(NAMES) > 25


@pytest.mark.parametrize(("name", "parameters"), NAMES)
def test_a_stranger_gets_404(client: Client, name: str, parameters: tuple[str, ...]):
    theirs = MembershipFactory(role=Role.ADMIN)
    values = rows(name, theirs)
    address = reverse(name, kwargs={parameter: values[parameter] for parameter in parameters})
    stranger = MembershipFactory(role=Role.ADMIN).user
    client.force_login(stranger)

    answers = {method: getattr(client, method)(address).status_code for method in ("get", "post")}

    # 405: the address has no such method for anybody, which tells nothing of the row.
    assert set(answers.values()) <= {404, 405}, answers
    assert 404 in answers.values(), answers


@pytest.mark.parametrize(("name", "parameters"), NAMES)
def test_somebody_signed_out_is_sent_to_the_sign_in(client: Client, name: str, parameters: tuple[str, ...]):
    values = rows(name, MembershipFactory(role=Role.ADMIN))
    address = reverse(name, kwargs={parameter: values[parameter] for parameter in parameters})

    for answer in (client.get(address), client.post(address)):
        assert answer.status_code in (302, 405)
        if answer.status_code == 302:
            assert answer["Location"].startswith(reverse("accounts:sign-in"))


def test_a_person_without_any_workspace_sees_empty_pages(client: Client):
    VideoSessionFactory(title="Top secret film")
    client.force_login(UserFactory())

    for name in ("sessions:inbox", "sessions:history", "sessions:library", "live:list", "workspaces:list"):
        answer = client.get(reverse(name))
        assert answer.status_code == 200
        assert b"Top secret" not in answer.content
