"""Nothing of one workspace reaches another (I8), looked for wherever it could leak: rows, calls, streams, pages, logs."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import F, Q

from commands.models import Command
from polling.models import KeyState, PollState
from sessions_app.models import MediaFile, Resource, Video, VideoSession
from tests.faults.pages import Page
from tests.studio import Studio
from timeline.models import Event, Exchange

if TYPE_CHECKING:
    from tests.faults.drill import Drill

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_CALLED = re.compile(r"^/v\d/video-agents/(?:sessions/)?(?P<id>[^/]+)")


def check(one: Studio, other: Studio) -> None:
    for studio in (one, other):
        assert VideoSession.objects.filter(workspace=studio.workspace).exists(), "nothing there to be seen"
        rows_belong(studio)
        pages_show_own(studio)
    calls_used_own_keys(one, other)
    logs_name_one(one)


def rows_belong(studio: Studio) -> None:
    """What hangs on this workspace's sessions is this workspace's, and its sessions are its own account's."""
    key_of = {each["session_id"]: each["key"] for each in studio.simulator.control.sessions()}
    sessions = VideoSession.objects.filter(workspace=studio.workspace)
    remote_ids = sessions.exclude(remote_id=None).values_list("remote_id", flat=True)
    assert {key_of[remote_id] for remote_id in remote_ids} <= {studio.key}

    ids = list(sessions.values_list("pk", flat=True))
    elsewhere = ~Q(workspace=studio.workspace)
    strays = [
        *PollState.objects.filter(elsewhere, object_id__in=ids),
        *PollState.objects.filter(workspace=studio.workspace).exclude(
            key_fingerprint__in=("", studio.workspace.key_fingerprint)
        ),
        *Command.objects.filter(elsewhere, object_id__in=ids),
        *Event.objects.filter(elsewhere, object_id__in=ids),
        *Exchange.objects.filter(elsewhere, object_id__in=ids),
        *Resource.objects.filter(elsewhere, session__in=ids),
        *Video.objects.filter(elsewhere, session__in=ids),
        *MediaFile.objects.filter(resource__isnull=False).exclude(workspace=F("resource__workspace")),
        *MediaFile.objects.filter(video__isnull=False).exclude(workspace=F("video__workspace")),
    ]
    assert strays == [], f"of {studio.workspace}, and written elsewhere"


def calls_used_own_keys(one: Studio, other: Studio) -> None:
    """No session was asked for, nor anything paid, with the key of the other."""
    control = one.simulator.control
    key_of = {each["session_id"]: each["key"] for each in control.sessions()}
    for call in control.calls(last=100_000)["calls"]:
        named = _CALLED.match(call["path"])
        if named and (owner := key_of.get(named["id"])):
            assert call["key"] == owner, f"{call['path']} was asked for with another's key"
    for studio in (one, other):
        pressed = Command.objects.filter(workspace=studio.workspace)
        texts = {each.payload.get("prompt") or each.payload.get("message") for each in pressed}
        for call in studio.accepted():
            assert (call["body"].get("prompt") or call["body"].get("message")) in texts


def pages_show_own(studio: Studio) -> None:
    """Lists show all of one's own sessions and none of the others; a page of another's is not there."""
    page = Page(studio, studio.person)
    own = {
        str(pk) for pk in VideoSession.objects.filter(workspace=studio.workspace).values_list("pk", flat=True)
    }
    others = VideoSession.objects.exclude(workspace=studio.workspace).values_list("pk", flat=True)
    for path in ("/", "/sessions/", "/library/"):
        shown = set(_UUID.findall(page.read(path)))
        assert not shown & {str(pk) for pk in others}, f"{path} shows what is another's"
        if path == "/sessions/":
            assert own <= shown
    for pk in others:
        assert page.http.get(f"{page.url}/sessions/{pk}/", timeout=10).status_code == 404


def logs_name_one(studio: Studio) -> None:
    """No line of a log names objects of two workspaces."""
    workspace_of: dict[str, UUID] = {}
    for model in (VideoSession, Command, Resource, Video, MediaFile):
        workspace_of |= {str(pk): workspace for pk, workspace in model.objects.values_list("pk", "workspace")}
    named = defaultdict(set)
    for name in ("web", "worker", "commands", "beat"):
        for line in studio.dailies.log(name).splitlines():
            for found in _UUID.findall(line):
                if found in workspace_of:
                    named[name, line].add(workspace_of[found])
    assert named, "no line names anything"
    mixed = [line for (_, line), workspaces in named.items() if len(workspaces) > 1]
    assert mixed == [], f"lines that name two workspaces: {mixed}"


def check_streams(drill: Drill) -> None:
    """Who follows hears of their own only, and a stranger is never let in."""
    assert all(each.streams for each in drill.followers)
    assert [each.overheard for each in drill.followers] == [0] * len(drill.followers)
    assert all(each.refusals for each in drill.strangers)
    assert [each.streams for each in drill.strangers] == [0] * len(drill.strangers)
    # Only one of the keys was ever refused, and that closed no other.
    closed = KeyState.objects.filter(fingerprint=drill.neighbour.workspace.key_fingerprint, needs_person=True)
    assert not closed.exists()
