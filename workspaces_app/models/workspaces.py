"""Workspaces, their members and roles, the account behind the key, and the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import uuid6
from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from timeline.append_only import AppendOnly, AppendOnlyQuerySet
from workspaces_app.scoping import WorkspaceScoped

if TYPE_CHECKING:
    from workspaces_app.models.people import User


class Dialect(models.TextChoices):
    """Which of HeyGen's two session APIs a workspace speaks."""

    CURRENT = "current", _("Video Agent (current)")
    SESSIONS = "sessions", _("Video Agent sessions (older)")


class WorkspaceQuerySet(WorkspaceScoped, models.QuerySet["Workspace"]):
    def _of_member(self, user: User) -> WorkspaceQuerySet:
        """By a join, at half the cost: every page asks for this, and a person is a member of a workspace once."""
        return self.filter(memberships__user=user)


class Workspace(models.Model):
    """One HeyGen account and the team that shares it.

    `encrypted_key` is an envelope of `workspaces_app.crypto`; only `workspaces_app.connections` opens it.
    `key_fingerprint` names the key without telling it: what polling and budgets go by; "" while there is none.
    """

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("short name"), max_length=60, unique=True)
    base_url = models.URLField(_("HeyGen address"), default="https://api.heygen.com")
    dialect = models.CharField(_("dialect"), max_length=16, choices=Dialect.choices, default=Dialect.CURRENT)
    encrypted_key = models.TextField(blank=True, default="", editable=False)
    key_fingerprint = models.CharField(max_length=16, blank=True, default="", editable=False, db_index=True)
    key_last4 = models.CharField(max_length=4, blank=True, default="", editable=False)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = WorkspaceQuerySet.as_manager()

    if TYPE_CHECKING:
        # Only those of `connections.connections_for` know it.
        key_epoch: int
        # Only those of `access.with_roles` know it.
        my_role: str

    class Meta:
        verbose_name = _("workspace")
        verbose_name_plural = _("workspaces")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(encrypted_key="", key_fingerprint="", key_last4="")
                | (~models.Q(encrypted_key="") & ~models.Q(key_fingerprint="")),
                name="workspace_key_whole_or_none",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("workspaces:overview", args=[self.slug])

    @property
    def has_key(self) -> bool:
        return bool(self.key_fingerprint)


class Role(models.TextChoices):
    """What a member may do, each including those before: look, start and talk, approve and stop, manage."""

    VIEWER = "viewer", _("Viewer")
    CREATOR = "creator", _("Creator")
    APPROVER = "approver", _("Approver")
    ADMIN = "admin", _("Admin")

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def allows(self, needed: Role) -> bool:
        """Whether somebody with this role may do what `needed` is the lowest role for."""
        return self.rank >= needed.rank


class MembershipQuerySet(WorkspaceScoped, models.QuerySet["Membership"]):
    pass


class Membership(models.Model):
    """A person's role in a workspace."""

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.workspace} · {self.get_role_display()}"


class AccountSnapshotQuerySet(WorkspaceScoped, models.QuerySet["AccountSnapshot"]):
    pass


class AccountSnapshot(models.Model):
    """What GET /v3/users/me last said about the account behind a workspace's key.

    `balance` has "remaining" (a number, null = unknown), "unit" ("usd", "credits", "") and "plan"; `raw` is the
    answer as it came. `changed_at` is when it last differed; when it was last confirmed, polling knows.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="account"
    )
    email = models.CharField(max_length=254, blank=True, default="")
    username = models.CharField(max_length=200, blank=True, default="")
    balance = models.JSONField(default=dict)
    raw = models.JSONField(default=dict)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = AccountSnapshotQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.email or str(self.workspace_id)

    @property
    def balance_words(self) -> str:
        """What is left as people read it, "" when HeyGen doesn't tell."""
        remaining, unit = self.balance.get("remaining"), self.balance.get("unit")
        if remaining is None:
            return str(self.balance.get("plan") or "")
        if unit == "usd":
            return f"${remaining:,.2f}"
        amount = f"{remaining:,.0f}" if float(remaining).is_integer() else f"{remaining:,.2f}"
        return gettext("%(amount)s credits") % {"amount": amount}


class AuditEntryQuerySet(WorkspaceScoped, AppendOnlyQuerySet["AuditEntry"]):
    def for_list(self) -> AuditEntryQuerySet:
        """Newest first, with the actor joined."""
        return self.select_related("actor").order_by("-id")


class AuditEntry(AppendOnly):
    """Who did what to what, when and from where. Rows are only added.

    `object_kind` and `object_id` name the thing ("workspace", "user", "session" …); `data` has what changed,
    never a secret. `actor` is null for commands of the shell and after a user was removed: `actor_email` stays.
    """

    workspace = models.ForeignKey(
        Workspace,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="audit",
        db_constraint=False,
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    actor_email = models.CharField(max_length=254, blank=True, default="")
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40, blank=True, default="")
    object_id = models.CharField(max_length=64, blank=True, default="")
    data = models.JSONField(default=dict, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["workspace", "-at"], name="audit_by_workspace"),
            models.Index(fields=["-at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor_email} {self.action}"
