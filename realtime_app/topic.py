"""What the event stream tells a live page. Nothing of one person is in it."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.template.loader import render_to_string

from eventstream.topics import Topic
from polling import schedule
from realtime_app import page
from realtime_app.models import Stream
from workspaces_app import access as workspaces

KIND = "stream"


def allowed(pairs: Iterable[tuple[int, UUID]]) -> set[tuple[int, UUID]]:
    """Who of (user, stream) may look at it: members of the stream's workspace."""
    asked = set(pairs)
    streams = Stream.objects.filter(pk__in={object_id for _user, object_id in asked})
    return workspaces.members_among(asked, dict(streams.values_list("pk", "workspace_id")))


def version(object_id: UUID) -> int:
    return Stream.objects.filter(pk=object_id).values_list("version", flat=True).first() or 0


def age(object_id: UUID) -> float | None:
    """Seconds since HeyGen was last asked. It is asked for open pages only, so this is also where the mirror hears of them."""
    watch(object_id)
    seen = schedule.freshness(KIND, [object_id]).get(object_id)
    return None if seen is None else seen.age


def watch(object_id: UUID) -> None:
    """Somebody looks at the stream: what still changes is read more often."""
    stream = Stream.objects.filter(pk=object_id).first()
    if stream is None:
        return
    if not stream.ended:
        schedule.watch(KIND, object_id)
    if not stream.words_ended:
        schedule.watch("words", object_id)


def fragments(object_id: UUID, since: int | None, language: str, variant: str) -> str:
    """HTML that brings a page from version `since` to now; "" when there is nothing to show."""
    stream = Stream.objects.for_page().filter(pk=object_id).first()
    if stream is None:
        return ""
    return render_to_string(
        "realtime_app/_fragments.html", page.context(stream, since=since, variant=variant)
    )


TOPIC = Topic(kind=KIND, allowed=allowed, version=version, fragments=fragments, age=age)
