"""What a row of the live list shows beside the stream's own columns: a few queries for a whole page of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from commands.models import Command
from realtime_app.models import Stream
from realtime_app.page import Status, status_of
from realtime_app.sending import CREATE_KIND
from workspaces_app.models import CatalogueItem, CatalogueKind


@dataclass(frozen=True, slots=True)
class Row:
    """`look` is the avatar's item in the workspace's catalogue, when it has a picture there. `seconds` of playing so far."""

    stream: Stream
    status: Status
    look: CatalogueItem | None
    seconds: float


def rows(streams: Sequence[Stream]) -> list[Row]:
    creates, looks = _creates_of(streams), _looks_of(streams)
    return [
        Row(
            stream=stream,
            status=status_of(stream, creates.get(stream.pk)),
            look=looks.get((stream.workspace_id, stream.avatar_id)),
            seconds=stream.seconds_live,
        )
        for stream in streams
    ]


def _creates_of(streams: Sequence[Stream]) -> dict[UUID, Command]:
    """The newest press that is to start each of those that HeyGen did not accept yet."""
    starting = [stream.pk for stream in streams if stream.stream_id is None]
    if not starting:
        return {}
    commands = Command.objects.filter(kind=CREATE_KIND, object_id__in=starting)
    return {command.object_id: command for command in commands.order_by("id")}


def _looks_of(streams: Sequence[Stream]) -> dict[tuple[UUID, str], CatalogueItem]:
    found = CatalogueItem.objects.filter(
        kind=CatalogueKind.LOOK,
        workspace__in={stream.workspace_id for stream in streams},
        remote_id__in={stream.avatar_id for stream in streams},
    )
    return {(look.workspace_id, look.remote_id): look for look in found if look.preview("picture")}
