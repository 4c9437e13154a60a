"""Queries on sessions, messages, resources, videos and files, named by what they are for.

Each of them starts scoped: `visible_to(user)` joins through the person's memberships.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.expressions import Combinable
from django.db.models.functions import Left, Now

from commands.models import Command
from polling import clock, schedule
from polling.rows import keep_newest
from sessions_app.listed import Listed
from workspaces_app.scoping import WorkspaceScoped

if TYPE_CHECKING:
    from sessions_app.models import (  # noqa: F401
        Approval,
        MediaFile,
        Message,
        Note,
        RawWindow,
        Resource,
        SessionTag,
        Snooze,
        Upload,
        Video,
        VideoSession,
    )
    from workspaces_app.approval_rule import ApprovalRule
    from workspaces_app.models import User

# HeyGen's words for an agent at work on the next answer; a rendering takes its time.
THINKING = ("thinking", "processing")
LINK_FRESH_SECONDS = 300

# No run takes so long without a word, a video or another status; what stands still longer is stuck.
WORKS_AT_MOST_SECONDS = 3 * 3600


# What the mirror sets of a session.
MIRRORED = (
    "status", "group", "status_since", "progress", "title", "video_id", "remote_created_at", "prompt", "message_count",
    "active_at", "gone_at", "version",
)  # fmt: skip


class VideoSessionQuerySet(WorkspaceScoped, models.QuerySet["VideoSession"]):
    def for_mirror(self) -> VideoSessionQuerySet:
        """With what the mirror compares and sets, and whose a session is."""
        return self.only("workspace", "owner", *MIRRORED)

    def with_lateness(self) -> VideoSessionQuerySet:
        """`is_late`: what is shown of it may be old, because it in particular could not be read."""
        return self.annotate(is_late=schedule.Failing("session"))  # type: ignore[no-redef]  # the model declares it

    def for_row(self) -> VideoSessionQuerySet:
        """For a row of a list: owner and workspace joined, `is_late`."""
        return self.with_lateness().select_related("workspace", "owner")

    def for_page(self) -> VideoSessionQuerySet:
        """For the page of a session: workspace and owner joined, `newest_press` is the last message that was pressed here,
        `looked_at` the database's now, `tag_names` its tags in the order of the alphabet."""
        sent = Command.objects.filter(kind="session.send", object_id=OuterRef("pk")).order_by("-id")
        this = self.model._default_manager.filter(pk=OuterRef("pk"))
        tags = this.filter(tags__isnull=False).order_by("tags__name").values("tags__name")
        return self.select_related(
            "workspace", "owner"
        ).annotate(  # type: ignore[no-redef]  # the model declares it
            newest_press=Subquery(sent.values("id")[:1]),
            looked_at=Now(),
            tag_names=Listed(tags),
            # Asked along, because it is nearly always nothing.
            has_approvals=Exists(this.filter(approvals__isnull=False)),
            has_notes=Exists(this.filter(notes__isnull=False)),
        )

    def as_history_values(self) -> models.QuerySet[Any, Any]:
        """What a row of the history needs and no more: fifty whole sessions cost as much as the rest of the page."""
        return (
            self.with_lateness()
            .annotate(prompt_start=Left("prompt", 300))
            .values_list(
                *(
                    "pk",
                    "workspace_id",
                    "title",
                    "prompt_start",
                    "status",
                    "group",
                    "gone_at",
                    "message_count",
                ),
                *("active_at", "owner__name", "owner__email", "is_late"),
                named=True,
            )
        )

    def waiting_for_a_person(self) -> VideoSessionQuerySet:
        """The inbox: oldest wait first."""
        return self.filter(group="needs_you", archived=False, gone_at=None).order_by("status_since", "id")

    def failed_here(self, since: Combinable) -> VideoSessionQuerySet:
        """Sessions started here that failed after `since`. What failed elsewhere before it was found is nobody's news."""
        return self.filter(group="failed", archived=False, owner__isnull=False, status_since__gte=since)

    def stuck(
        self, *, thinking: Combinable, rendering: Combinable, since: Combinable
    ) -> VideoSessionQuerySet:
        """Sessions started here that have shown nothing new after `thinking`, or render since before `rendering`, but
        have shown something after `since`."""
        silent = models.Q(status__in=THINKING, active_at__lt=thinking, status_since__lt=thinking)
        slow = models.Q(status="generating", status_since__lt=rendering)
        return self.filter(
            silent | slow,
            group="working",
            archived=False,
            gone_at=None,
            owner__isnull=False,
            active_at__gte=since,
        )

    def not_snoozed_by(self, user: User) -> VideoSessionQuerySet:
        """Without those that this person put off and in which nothing has happened since."""
        return self.exclude(models.Exists(user.snoozes.that_hide(models.OuterRef("pk"))))

    def working(self) -> VideoSessionQuerySet:
        """Sessions that occupy one of HeyGen's places for concurrent jobs.

        Some stay at "thinking" for ever. They must not end all creates; if HeyGen counts one all the same, it says so.
        """
        lately = clock.later(-WORKS_AT_MOST_SECONDS)
        return self.filter(group="working", gone_at=None, active_at__gte=lately)

    def with_remote_ids(self, workspace_id: UUID, remote_ids: Iterable[str]) -> set[str]:
        """Which of these sessions of HeyGen's the workspace has already."""
        found = self.filter(workspace_id=workspace_id, remote_id__in=list(remote_ids))
        return {remote_id for remote_id in found.values_list("remote_id", flat=True) if remote_id}


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    def that_hide(self, session: models.OuterRef) -> SnoozeQuerySet:
        """Those that hold for `session`: their time has not come, and nothing happened in it meanwhile."""
        return self.filter(
            models.Q(until=None) | models.Q(until__gt=Now()),
            session=session,
            active_at__gte=models.F("session__active_at"),
        )

    def in_force(self) -> SnoozeQuerySet:
        """The same for all sessions, the next to come back first."""
        return self.filter(
            models.Q(until=None) | models.Q(until__gt=Now()),
            active_at__gte=models.F("session__active_at"),
            session__archived=False,
        ).order_by(models.F("until").asc(nulls_last=True), "id")


class MessageQuerySet(models.QuerySet["Message"]):
    def that_make_revisions(self) -> MessageQuerySet:
        """What decides where a storyboard revision begins and what is in it, oldest first."""
        return (
            self.filter(models.Q(role="user") | ~models.Q(resource_ids=[]))
            .only("session_id", "position", "role", "content", "resource_ids")
            .order_by("position")
        )


class NoteQuerySet(models.QuerySet["Note"]):
    def for_page(self) -> NoteQuerySet:
        """With their authors, newest first."""
        return self.select_related("author").order_by("-id")


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def that_count(self, session: VideoSession, rule: ApprovalRule) -> ApprovalQuerySet:
        """Those in this session by people who may approve by this rule now, with who gave them, in their order."""
        mine = self.filter(
            session=session,
            by__is_active=True,
            by__memberships__workspace=session.workspace_id,
            by__memberships__role__in=rule.roles,
        )
        if not rule.author_counts:
            mine = mine.exclude(by=session.owner_id)
        return mine.select_related("by").order_by("id")

    def of_the_last_message(self, sessions: Iterable[UUID]) -> ApprovalQuerySet:
        """Those of a storyboard that nothing was said after, by active members, each with their membership there."""
        return self.filter(
            session__in=list(sessions),
            by__is_active=True,
            by__memberships__workspace=F("session__workspace"),
        ).exclude(session__messages__position__gt=F("position"))


class ResourceQuerySet(WorkspaceScoped, models.QuerySet["Resource"]):
    def described(self) -> ResourceQuerySet:
        """Those that HeyGen has described: a bare announced id has nothing to show."""
        return self.filter(read_at__isnull=False)

    def in_order(self) -> ResourceQuerySet:
        """As the agent showed them: by message, then by place in its `resource_ids`; last those of messages that passed unseen."""
        return self.order_by(F("message_position").asc(nulls_last=True), "place", "id")

    def for_library(self) -> ResourceQuerySet:
        """Rows of the library, newest first, with session, workspace and files at hand.

        The session is asked for afterwards: joined, PostgreSQL reads all of them for a page of sixty.
        """
        rows = self.prefetch_related("session__workspace", "files")
        return rows.order_by("-first_seen_at", "-id")


class VideoQuerySet(WorkspaceScoped, models.QuerySet["Video"]):
    def for_library(self) -> VideoQuerySet:
        """Rows of the library, newest first, with session, workspace and files at hand.

        The session is asked for afterwards: joined, PostgreSQL reads all of them for a page of sixty.
        """
        rows = self.prefetch_related("session__workspace", "files")
        return rows.order_by("-first_seen_at", "-id")


class MediaFileQuerySet(WorkspaceScoped, models.QuerySet["MediaFile"]):
    """Scoped like the rest; a file is asked for by its id."""

    def with_link_age(self) -> MediaFileQuerySet:
        """`link_is_fresh`: HeyGen gave the link so lately that a browser may be sent there; it may be signed for minutes."""
        fresh = models.Q(linked_at__gt=clock.later(-LINK_FRESH_SECONDS))
        return self.annotate(link_is_fresh=fresh)  # type: ignore[no-redef]  # the model declares it


class UploadQuerySet(WorkspaceScoped, models.QuerySet["Upload"]):
    def of(self, user: User, workspace_id: UUID) -> UploadQuerySet:
        """A person's own uploads for one workspace: what a form of theirs may name."""
        return self.filter(owner=user, workspace_id=workspace_id)

    def waiting_for(self, user: User, session: VideoSession) -> UploadQuerySet:
        """What the person attached in the session's composer and has not sent, in the order of attaching."""
        return self.filter(owner=user, waits_in=session).order_by("id")

    def leave(self, session: VideoSession, uploads: Iterable[Upload]) -> None:
        """They were sent from the session's composer, or taken out of it."""
        self.filter(pk__in=[each.pk for each in uploads], waits_in=session).update(waits_in=None)


class SessionTagQuerySet(WorkspaceScoped, models.QuerySet["SessionTag"]):
    def names(self) -> list[str]:
        """Each tag once, in the order of the alphabet."""
        return list(self.order_by("name").values_list("name", flat=True).distinct())


class TallyQuerySet(models.QuerySet[Any]):
    def numbers(self, by: str) -> dict[str, int]:
        """The number of each value of `by`, without those that there is nothing of."""
        sums = self.order_by().values_list(by).annotate(sum=models.Sum("number"))
        return {value: number for value, number in sums if number > 0}

    def owners(self) -> TallyQuerySet:
        """The ids of those who own any of it, for a query of people."""
        theirs = self.exclude(owner_id=None).order_by().values("owner_id")
        found: TallyQuerySet = theirs.annotate(sum=models.Sum("number")).filter(sum__gt=0).values("owner_id")
        return found

    def all_numbers(self, key: Sequence[str]) -> dict[tuple[Any, ...], int]:
        """The number of each whole key, without zeros."""
        sums = self.order_by().values_list(*key).annotate(sum=models.Sum("number"))
        return {tuple(values): number for *values, number in sums if number}


class RawWindowQuerySet(models.QuerySet["RawWindow"]):
    # Of one session: the newest this many, and of those no more than this many compressed bytes.
    KEPT_EACH = 300
    KEPT_BYTES = 1024 * 1024

    def let_go(self, session_ids: Iterable[UUID]) -> None:
        """Deletes what these sessions have beyond the bounds, oldest first. The newest always stays."""
        ids = {"session_id": list(session_ids)}
        keep_newest(self.model, ids, most=self.KEPT_EACH, most_bytes=self.KEPT_BYTES, size="length(body)")
