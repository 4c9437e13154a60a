"""Rows of the people side: users, workspaces, members and their roles, the audit trail, what a picker offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import uuid6
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower, Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from timeline.append_only import AppendOnly, AppendOnlyQuerySet
from workspaces_app.scoping import WorkspaceScoped
from workspaces_app.search_text import search_words


class UserManager(BaseUserManager["User"]):
    """Makes users; e-mail addresses are kept in lower case, so that one person is one row."""

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A user with a hashed password; without one nobody can sign in as them."""
        if not email:
            raise ValueError("a user needs an e-mail address")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An operator of the whole installation: Django's command and `bootstrap` call this."""
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """A person. `is_staff` makes them an operator of the whole installation, who sees every workspace in the admin.

    `sign_in_epoch` is part of what every session is checked against: counting it up ends all of them.
    """

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, help_text=_("Empty: the one of the browser.")
    )
    language = models.CharField(_("language"), max_length=16, default="en")
    # Of the person, not of the browser: who dictates or types by switch does so on every machine.
    single_keys = models.BooleanField(
        _("single-key shortcuts"),
        default=True,
        help_text=_("Such as “a” for approve. “?” lists them on every page."),
    )
    must_change_password = models.BooleanField(_("must change password"), default=False)
    sign_in_epoch = models.PositiveIntegerField(default=0, editable=False)
    is_staff = models.BooleanField(_("staff"), default=False, help_text=_("May use the admin."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def zone(self) -> ZoneInfo:
        """Their time zone for what the server reckons; UTC where only the browser knows it."""
        try:
            return ZoneInfo(self.time_zone or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django's own hook of get_session_auth_hash and of its fallback for rotated SECRET_KEYs.
        by_password = super()._get_session_auth_hash(secret=secret)  # type: ignore[misc]
        return f"{by_password}.{self.sign_in_epoch}"

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.partition("@")[0]


class Dialect(models.TextChoices):
    """Which of HeyGen's two session APIs a workspace speaks."""

    CURRENT = "current", _("Video Agent (current)")
    SESSIONS = "sessions", _("Video Agent sessions (older)")


class WorkspaceQuerySet(WorkspaceScoped, models.QuerySet["Workspace"]):
    workspace_path = ""


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


class SignInBucket(models.Model):
    """How much of the sign-in allowance an account or an address has used (`workspaces_app.throttle`).

    `key` is a keyed hash: the table tells nobody which addresses were tried. `spent_until` is the moment at
    which the bucket is empty again: one number is all that the GCRA needs, and one UPDATE changes it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    spent_until = models.FloatField(help_text="seconds since 1970")

    class Meta:
        indexes = [models.Index(fields=["spent_until"], name="sign_in_bucket_age")]

    def __str__(self) -> str:
        return self.key


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


class CatalogueKind(models.TextChoices):
    LOOK = "look", _("Avatar look")
    VOICE = "voice", _("Voice")
    STYLE = "style", _("Style")
    BRAND_KIT = "brand_kit", _("Brand kit")
    GLOSSARY = "glossary", _("Brand glossary")


_PREVIEWS = {
    "picture": ("preview_image_url", "thumbnail_url", "logo_url"),
    "sound": ("preview_audio_url",),
    "film": ("preview_video_url",),
}


class CatalogueItemQuerySet(WorkspaceScoped, models.QuerySet["CatalogueItem"]):
    def for_picker(
        self,
        workspace: Workspace,
        kind: str,
        search: str = "",
        filters: Mapping[str, str] | None = None,
    ) -> CatalogueItemQuerySet:
        """What a picker offers, team favourites first, then in HeyGen's order.

        Every word of `search` must begin a word of the item, whatever its case and accents. `filters` may hold
        "ownership" (public, private), "tags" (one of the item's) and any field of the item itself ("gender",
        "language", "avatar_type", "preferred_orientation" …), compared without case; empty values don't count.
        """
        found = self.filter(workspace=workspace, kind=kind, gone=False)
        for word in search_words(search):
            found = found.filter(search_text__contains=f" {word}")
        for name, value in (filters or {}).items():
            if value and name == "ownership":
                found = found.filter(ownership=value)
            elif value and name == "tags":
                # Every tag's words are among the item's; SQLite cannot look into a JSON list.
                for word in search_words(value):
                    found = found.filter(search_text__contains=f" {word}")
            elif value and name.isidentifier():
                found = found.filter(**{f"data__{name}__iexact": value})
        return found.order_by("-favourite", "position", "id")

    def recent_of(self, user: User) -> CatalogueItemQuerySet:
        """Those that the person used, the last one first."""
        return self.filter(gone=False, recent__user_id=user.pk).order_by("-recent__used_at")


class CatalogueItem(models.Model):
    """An avatar look, voice, style, brand kit or glossary that the account offers.

    `data` is the item as HeyGen sent it; `search_text` has its words as `catalogue.search_text` makes them;
    `position` is HeyGen's order; `gone` items are no longer offered but stay, because sessions refer to them.
    """

    id = models.UUIDField(primary_key=True, default=uuid6.uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="catalogue")
    kind = models.CharField(max_length=16, choices=CatalogueKind.choices)
    remote_id = models.CharField(max_length=255)
    name = models.CharField(max_length=300)
    position = models.PositiveIntegerField(default=0)
    ownership = models.CharField(max_length=16, default="public")
    data = models.JSONField(default=dict)
    search_text = models.TextField(default="")
    favourite = models.BooleanField(default=False, db_default=False, help_text="of the whole team")
    gone = models.BooleanField(default=False, db_default=False)
    seen_in = models.PositiveIntegerField(default=0, help_text="the pass of CatalogueRead that saw it last")

    objects = CatalogueItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("catalogue item")
        verbose_name_plural = _("catalogue")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "remote_id"], name="catalogue_item_once")
        ]
        indexes = [models.Index(fields=["workspace", "kind", "position"], name="catalogue_in_order")]

    def __str__(self) -> str:
        return self.name

    def preview(self, what: str) -> str | None:
        """HeyGen's link to the item's "picture", "sound" or "film"; None when it has none."""
        for name in _PREVIEWS.get(what, ()):
            link = self.data.get(name)
            if isinstance(link, str) and link:
                return link
        return None

    @property
    def usable(self) -> bool:
        """Whether HeyGen takes it: a private one may still be in the making, or have failed."""
        return self.data.get("status") in (None, "completed", "complete")


class CatalogueRead(models.Model):
    """How far the reading of a workspace's catalogue is: page by page, because large accounts need dozens.

    `part` and `cursor` say where the next page begins ("" = no pass is running), `taken` how many items of the
    part came before it, `number` counts the passes,
    `finished_at` is when the last one was complete, `problems` what was refused in it, by part. `facets` has what the
    pickers filter by: {kind: {field: [values]}}.
    """

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="catalogue_read"
    )
    part = models.CharField(max_length=24, blank=True, default="")
    cursor = models.TextField(blank=True, default="")
    taken = models.PositiveIntegerField(default=0)
    number = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=dict, blank=True)
    facets = models.JSONField(default=dict, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("catalogue reading")
        verbose_name_plural = _("catalogue readings")

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.part or 'idle'}"


class RecentItemQuerySet(models.QuerySet["RecentItem"]):
    def note(self, user: User, items: Iterable[CatalogueItem]) -> None:
        """Remembers that the person used these just now."""
        self.bulk_create(
            [RecentItem(user_id=user.pk, item=item, used_at=Now()) for item in items],
            update_conflicts=True,
            unique_fields=["user", "item"],
            update_fields=["used_at"],
        )


class RecentItem(models.Model):
    """When a person last used a catalogue item: pickers show these first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    item = models.ForeignKey(CatalogueItem, on_delete=models.CASCADE, related_name="recent")
    used_at = models.DateTimeField(default=timezone.now)

    objects = RecentItemQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "item"], name="recent_item_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.item_id}"


class WebhookEndpointQuerySet(WorkspaceScoped, models.QuerySet["WebhookEndpoint"]):
    pass


class WebhookEndpoint(models.Model):
    """Where HeyGen sends the events of a workspace.

    `path_token` is the unguessable part of our address; `encrypted_secret` checks each delivery's signature (an
    envelope of `workspaces_app.crypto`). `remote_id` is HeyGen's id of the endpoint, "" until it answered.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, related_name="webhook")
    path_token = models.CharField(max_length=64, unique=True, editable=False)
    remote_id = models.CharField(max_length=255)
    url = models.URLField(max_length=500)
    status = models.CharField(max_length=40, blank=True, default="")
    encrypted_secret = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return f"{self.workspace_id} {self.remote_id}"


class WebhookDeliveryQuerySet(WorkspaceScoped, models.QuerySet["WebhookDelivery"]):
    pass


class WebhookDelivery(models.Model):
    """One event that HeyGen told us, kept so that a repeat is recognised: `key` is its event id or, without one,
    a digest of what it said. `matched` says whether anything of ours was made due by it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="deliveries")
    key = models.CharField(max_length=255)
    event_type = models.CharField(max_length=120, blank=True, default="")
    data = models.JSONField(default=dict)
    matched = models.BooleanField(default=False)
    source = models.CharField(max_length=16, default="webhook", help_text="webhook, callback or catch-up")
    received_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="webhook_delivery_once")]
        indexes = [models.Index(fields=["received_at"], name="webhook_delivery_age")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.key}"
