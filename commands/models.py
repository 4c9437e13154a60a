"""The submit-once ledger: one row per press of a button that must reach HeyGen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uuid6
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commands.querysets import OPEN_STATES, SETTLED_STATES, CommandQuerySet


class State(models.TextChoices):
    """How far a press got.

    queued -> sending -> accepted | refused | unknown
              sending -> queued                          HeyGen took nothing (429, gate closed)
                         unknown -> accepted | refused   settled by the remote side, or by a person
    """

    QUEUED = "queued", _("Waiting to be sent")
    SENDING = "sending", _("Being sent")
    ACCEPTED = "accepted", _("Accepted")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("Outcome unknown")


class Command(models.Model):
    """One press of a button, committed before the network is touched.

    Three moments drive it, all by the database's clock: `not_before` (a queued one is not sent earlier),
    `lease_until` (who sends or settles it counts as alive until then) and `due_at` (when the tick looks at the row
    next; null when no machine has anything to do with it). `attempts` counts the sends and is the fence for their
    answers: the answer of an attempt that was followed by another changes nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    object_id = models.UUIDField(_("object id"))
    workspace = models.ForeignKey(
        "workspaces_app.Workspace",
        on_delete=models.CASCADE,
        related_name="commands",
        verbose_name=_("workspace"),
    )
    payload = models.JSONField(_("payload"), default=dict, blank=True)
    # Of its kind when it was pressed: an ordered one waits for those of the same object that were pressed before it.
    ordered = models.BooleanField(_("in order"), default=False)
    token = models.CharField(max_length=128, unique=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="commands",
        verbose_name=_("pressed by"),
    )
    created_at = models.DateTimeField(_("pressed at"), default=timezone.now, editable=False)

    state = models.CharField(_("state"), max_length=16, choices=State, default=State.QUEUED)
    # Why a queued one waits ("budget", "ceiling", "no_key", "order" …); "" when nothing holds it.
    waiting_for = models.CharField(_("waiting for"), max_length=40, blank=True, default="")
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    due_at = models.DateTimeField(_("next look"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    attempt_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    remote_ref = models.CharField(_("HeyGen's id"), max_length=255, blank=True, default="")
    answer = models.JSONField(_("answer"), default=dict, blank=True)
    # {status, code, message, param} of a refusal; {message} of an unclear outcome.
    error = models.JSONField(_("error"), default=dict, blank=True)
    unknown_at = models.DateTimeField(_("unknown since"), null=True, blank=True)
    settle_tries = models.PositiveIntegerField(_("times looked for"), default=0)
    asks_person_since = models.DateTimeField(_("asks a person since"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    # What proved the end: "answer" of the call itself, a later "list", "window" or "read", or a "person".
    settled_by = models.CharField(_("settled by"), max_length=16, blank=True, default="")
    # When the app's own rows followed the end; null after a crash of that step, which is then repeated.
    applied_at = models.DateTimeField(_("applied at"), null=True, blank=True)
    apply_failures = models.PositiveIntegerField(_("failures to apply"), default=0)
    # One to one: pressing "send again" twice sends once.
    repeats = models.OneToOneField(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="repeated_by",
        verbose_name=_("repeats"),
    )

    objects = CommandQuerySet.as_manager()

    if TYPE_CHECKING:
        workspace_id: Any
        by_id: int | None
        repeats_id: Any

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=State.values), name="command_state_known"),
            models.CheckConstraint(condition=~models.Q(token=""), name="command_has_token"),
            models.CheckConstraint(
                condition=~models.Q(state="sending")
                | models.Q(
                    attempt_at__isnull=False,
                    lease_until__isnull=False,
                    lease_token__isnull=False,
                    due_at__isnull=False,
                    attempts__gt=0,
                ),
                name="command_sending_is_leased",
            ),
            models.CheckConstraint(
                condition=models.Q(lease_until__isnull=True, lease_token__isnull=True)
                | models.Q(lease_until__isnull=False, lease_token__isnull=False),
                name="command_lease_whole_or_none",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="unknown")
                | models.Q(attempt_at__isnull=False, unknown_at__isnull=False),
                name="command_unknown_was_sent",
            ),
            # An open one that no machine looks at again would be lost: only one that asks a person may rest.
            models.CheckConstraint(
                condition=~models.Q(state__in=OPEN_STATES)
                | models.Q(due_at__isnull=False)
                | models.Q(state="unknown", asks_person_since__isnull=False),
                name="command_open_is_looked_at",
            ),
            models.CheckConstraint(
                condition=models.Q(asks_person_since__isnull=True) | models.Q(state="unknown"),
                name="command_asks_only_unknown",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(state__in=SETTLED_STATES, settled_at__isnull=False) & ~models.Q(settled_by="")
                )
                | (models.Q(state__in=OPEN_STATES, settled_at__isnull=True, settled_by="")),
                name="command_settled_says_how",
            ),
            models.CheckConstraint(
                condition=models.Q(applied_at__isnull=True) | models.Q(state__in=SETTLED_STATES),
                name="command_applied_is_settled",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=SETTLED_STATES)
                | models.Q(applied_at__isnull=False)
                | models.Q(due_at__isnull=False),
                name="command_unapplied_is_looked_at",
            ),
            # The order of an object rests on this, not on care: two workers that both think it is their turn.
            models.UniqueConstraint(
                fields=["object_id"],
                condition=models.Q(state="sending", ordered=True),
                name="command_one_sending_per_object",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="command_due"),
            models.Index(
                fields=["workspace", "state"], condition=models.Q(state__in=OPEN_STATES), name="command_open"
            ),
            models.Index(fields=["object_id", "id"], name="command_of_object"),
            models.Index(fields=["-created_at"], name="command_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def object_kind(self) -> str:
        """ "session" of "session.send": what the timeline calls the object."""
        return self.kind.partition(".")[0]

    @property
    def asks_person(self) -> bool:
        return self.asks_person_since is not None
