"""What people started and what came of it: presses, sessions, gaps, live streams, files. A fixed number of queries."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Q, Sum
from django.urls import reverse

from commands.models import Command, State
from commands.words import why_unclear, why_waiting
from realtime_app.models import Stream, StreamGroup
from sessions_app.models import Gap, MediaFile, MediaState, StatusGroup, VideoSession
from workspaces_app.models import User

# A wall shows the first of each; the admin shows all.
ROWS = 8
RECENTLY = timedelta(hours=24)

# What a command is about: the address of its page, which members see, and the name of its admin, for all staff.
_PAGES: Mapping[str, str] = {"session": "sessions:detail", "stream": "live:detail"}
_ADMINS: Mapping[str, str] = {
    "session": "admin:sessions_app_videosession_change",
    "stream": "admin:realtime_app_stream_change",
}


@dataclass(frozen=True, slots=True)
class Pile:
    """Open commands of one state that wait for the same. `why` is "" when nothing holds them."""

    state: State
    why: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Press:
    """A command of unknown outcome that only a person can settle. It is decided on its object's page, by a member."""

    command: Command
    why: str
    href: str
    may_decide: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why commands were refused lately, by HeyGen's own code ("" where it gave none)."""

    kind: str
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class Live:
    """A stream that is not known to have ended. `cost` in US dollars, estimated; 0 before it plays."""

    stream: Stream
    href: str
    playing: bool
    seconds: float
    cost: float


@dataclass(frozen=True, slots=True)
class Files:
    """Copies of remote files, and the disk that they are on (bytes; None where it cannot be read)."""

    wanted: int
    stored: int
    failed: int
    stored_bytes: int
    failures: Sequence[tuple[str, int]]
    disk_free: int | None
    disk_total: int | None

    @property
    def disk_used_percent(self) -> int | None:
        if self.disk_free is None or not self.disk_total:
            return None
        return round(100 * (1 - self.disk_free / self.disk_total))


@dataclass(frozen=True, slots=True)
class Work:
    piles: Sequence[Pile]
    presses: Sequence[Press]
    asking: int
    unapplied: int
    refusals: Sequence[Refusal]
    sessions: Mapping[StatusGroup, int]
    sessions_gone: int
    gaps: int
    gaps_recently: int
    newest_gaps: Sequence[tuple[Gap, str]]
    streams: Sequence[Live]
    streams_running: int
    price_per_second: float
    files: Files

    def count(self, state: State) -> int:
        return sum(pile.count for pile in self.piles if pile.state == state)

    @property
    def queued(self) -> int:
        return self.count(State.QUEUED)

    @property
    def sending(self) -> int:
        return self.count(State.SENDING)

    @property
    def unknown(self) -> int:
        return self.count(State.UNKNOWN)


def look(user: User | None, now: datetime) -> Work:
    """Everything as of `now`, with links that `user` may follow; None for a reader without a sign-in."""
    memberships = user.memberships.values_list("workspace_id", flat=True) if user is not None else ()
    mine = set(memberships)
    asking = Command.objects.asking_a_person()
    streams = _streams(mine)
    playing = Stream.objects.running().aggregate(
        running=Count("pk"), playing=Count("pk", filter=Q(group=StreamGroup.STREAMING))
    )
    groups = VideoSession.objects.filter(archived=False).order_by().values_list("group")
    here, gone = Count("pk", filter=Q(gone_at=None)), Count("pk", filter=Q(gone_at__isnull=False))
    sessions = {group: (still, lost) for group, still, lost in groups.annotate(here=here, gone=gone)}
    gaps = Gap.objects.aggregate(
        number=Count("pk"), recently=Count("pk", filter=Q(seen_at__gt=now - RECENTLY))
    )
    return Work(
        piles=_piles(),
        presses=[_press(command, mine) for command in asking.select_related("workspace", "by")[:ROWS]],
        asking=asking.count(),
        unapplied=Command.objects.unapplied().filter(due_at__isnull=False).count(),
        refusals=_refusals(now),
        sessions={group: sessions.get(group, (0, 0))[0] for group in StatusGroup},
        sessions_gone=sum(lost for _, lost in sessions.values()),
        gaps=gaps["number"],
        gaps_recently=gaps["recently"],
        newest_gaps=[
            (gap, _href("session", gap.session_id, gap.session.workspace_id in mine))
            for gap in Gap.objects.select_related("session__workspace").order_by("-seen_at", "-id")[:ROWS]
        ],
        streams=streams,
        streams_running=playing["running"],
        price_per_second=playing["playing"] * settings.REALTIME_PRICE_PER_SECOND,
        files=_files(),
    )


def _href(object_kind: str, object_id: UUID, member: bool) -> str:
    """The page of an object for a member, its admin for other staff; "" for a kind without either."""
    name = (_PAGES if member else _ADMINS).get(object_kind)
    return reverse(name, args=[object_id]) if name else ""


def _piles() -> list[Pile]:
    groups = (
        Command.objects.open()
        .order_by("state", "waiting_for")
        .values_list("state", "waiting_for")
        .annotate(count=Count("pk"), oldest_at=Min("created_at"))
    )
    return [Pile(State(state), why_waiting(code), count, oldest) for state, code, count, oldest in groups]


def _press(command: Command, mine: Collection[UUID]) -> Press:
    member = command.workspace_id in mine
    href = _href(command.object_kind, command.object_id, member)
    return Press(
        command=command,
        why=why_unclear(str(command.error.get("reason") or command.error.get("code") or "")),
        href=href or reverse("admin:commands_command_change", args=[command.pk]),
        may_decide=member and bool(href),
    )


def _refusals(now: datetime) -> list[Refusal]:
    groups = (
        Command.objects.filter(state=State.REFUSED, created_at__gt=now - RECENTLY)
        .order_by()
        .values_list("kind", "error__code")
        .annotate(number=Count("pk"))
        .order_by("-number", "kind", "error__code")
    )
    return [Refusal(kind, str(code or ""), number) for kind, code, number in groups[:ROWS]]


def _streams(mine: Collection[UUID]) -> list[Live]:
    found = []
    # By creation: the one that has been running longest costs most.
    for stream in Stream.objects.running().for_page().order_by("created_at", "id")[:ROWS]:
        seconds = stream.seconds_live
        found.append(
            Live(
                stream=stream,
                href=_href("stream", stream.pk, stream.workspace_id in mine),
                playing=stream.group == StreamGroup.STREAMING,
                seconds=seconds,
                cost=seconds * settings.REALTIME_PRICE_PER_SECOND,
            )
        )
    return found


def _files() -> Files:
    groups = MediaFile.objects.order_by().values_list("state").annotate(number=Count("pk"), bytes=Sum("size"))
    by_state = {state: (number, size or 0) for state, number, size in groups}
    failures = (
        MediaFile.objects.filter(state=MediaState.FAILED)
        .order_by()
        .values_list("failure")
        .annotate(number=Count("pk"))
        .order_by("-number", "failure")
    )
    try:
        disk = shutil.disk_usage(settings.MEDIA_DIR if settings.MEDIA_DIR.exists() else settings.DATA_DIR)
    except OSError:
        disk = None
    stored, stored_bytes = by_state.get(MediaState.STORED, (0, 0))
    return Files(
        wanted=by_state.get(MediaState.WANTED, (0, 0))[0],
        stored=stored,
        failed=by_state.get(MediaState.FAILED, (0, 0))[0],
        stored_bytes=stored_bytes,
        failures=list(failures[:ROWS]),
        disk_free=disk.free if disk else None,
        disk_total=disk.total if disk else None,
    )
