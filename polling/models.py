"""Rows of the engine: when each object is next asked for, which keys are closed, and which processes are alive."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rank(models.IntegerChoices):
    """Who goes first among the due objects of one key."""

    WATCHED = 0, _("somebody watches")
    HOT = 1, _("something happens, or a person is needed")
    IDLE = 2, _("nothing is expected")


class PollState(models.Model):
    """The schedule of one polled object. Narrow, and apart from the object's own row: it is written at every poll.

    A claim sets `lease_until` and `lease_token`, moves `next_poll_at` to the end of the lease and counts `sequence` up.
    So a drain that dies needs no repair, and an answer that comes too late no longer fits its row.
    """

    kind = models.CharField(max_length=32)
    object_id = models.UUIDField()
    lane = models.CharField(max_length=16, default="polls")
    workspace = models.ForeignKey("workspaces_app.Workspace", on_delete=models.CASCADE, related_name="+")
    # "" for what needs no key of the API, such as copying a file.
    key_fingerprint = models.CharField(max_length=32, blank=True)
    group = models.CharField(max_length=16, default="working")
    rank = models.PositiveSmallIntegerField(choices=Rank, default=Rank.HOT)
    # Null means never.
    next_poll_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    sequence = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    # The last answer that could be used, and the last one that said something new.
    polled_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)
    # The last time that somebody expected news; `woken` is set while a read that began before it is still under way.
    woken_at = models.DateTimeField(null=True)
    woken = models.BooleanField(default=False)
    # In a row, up to now.
    failures = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=32, blank=True)
    message = models.CharField(max_length=500, blank=True)

    if TYPE_CHECKING:
        workspace_id: UUID

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="poll_state_of_an_object")]
        indexes = [
            # The one index that a claim walks: fair between keys, by rank, oldest first.
            models.Index(
                fields=["lane", "key_fingerprint", "rank", "next_poll_at"],
                condition=models.Q(next_poll_at__isnull=False),
                name="poll_state_due",
            )
        ]
        verbose_name = _("poll")
        verbose_name_plural = _("polls")

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class KeyState(models.Model):
    """A key of the API that must not be used for now. No row, or one whose time is over, means that it is open.

    The key itself is nowhere in it: `fingerprint` is a keyed hash.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("every call")
        PAID = "paid", _("calls that cost money")

    fingerprint = models.CharField(max_length=32)
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.ALL)
    closed_until = models.DateTimeField(null=True)
    # Closed until a person acts: a refused key does not heal by waiting.
    needs_person = models.BooleanField(default=False)
    reason = models.CharField(max_length=32)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fingerprint", "scope"], name="key_state_of_a_scope")]
        verbose_name = _("closed key")
        verbose_name_plural = _("closed keys")

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.scope} {self.reason}"

    def remaining(self, now: datetime.datetime) -> float | None:
        """Seconds until it opens by itself, 0 when it is open; None while only a person can open it."""
        if self.needs_person:
            return None
        if self.closed_until is None:
            return 0.0
        return max(0.0, (self.closed_until - now).total_seconds())


class KeyEntry(models.Model):
    """How often a person has entered or reopened a key: answers to requests from before the last time are out of date.

    A number, not a moment: no clock can be wrong about it.
    """

    fingerprint = models.CharField(max_length=32, primary_key=True)
    epoch = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("entry of a key")
        verbose_name_plural = _("entries of keys")

    def __str__(self) -> str:
        return f"{self.fingerprint} {self.epoch}"


class Heartbeat(models.Model):
    """A sign of life: `beat`, `worker:<host>:<pid>`, `progress:<lane>`, what a key last saw: `remote:<fingerprint>`,
    and when it was last answered: `answered:<fingerprint>`."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField()
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("sign of life")
        verbose_name_plural = _("signs of life")

    def __str__(self) -> str:
        return self.name
