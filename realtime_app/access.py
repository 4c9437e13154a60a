"""Who may do what with a live stream. What these functions return is already allowed."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404

from commands.models import Command
from realtime_app.models import Stream
from workspaces_app import access as workspaces
from workspaces_app.access import Person
from workspaces_app.models import Role


def stream(user: Person, pk: UUID, *, needs: Role = Role.VIEWER) -> Stream:
    """The stream when the person may do there what `needs` says; 404 for strangers, 403 below the role."""
    found = Stream.objects.visible_to(user).for_page().filter(pk=pk).first()
    if found is None:
        raise Http404
    workspaces.require(user, found.workspace_id, needs)
    return found


def press(user: Person, pk: UUID, command_id: UUID) -> tuple[Stream, Command]:
    """A stream and one of its presses, for somebody who may decide what becomes of it."""
    found = stream(user, pk, needs=Role.CREATOR)
    command = Command.objects.for_object("stream", found.pk).filter(pk=command_id).first()
    if command is None:
        raise Http404
    return found, command
