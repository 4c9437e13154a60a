"""What a picker offers: looks, voices, styles, brand kits and glossaries of the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import uuid6
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces_app.models.people import User
from workspaces_app.models.workspaces import Workspace
from workspaces_app.scoping import WorkspaceScoped
from workspaces_app.search_text import search_words


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
        """HeyGen's link to the item's "picture", "sound" or "film"; None when it has none that a browser could follow."""
        for name in _PREVIEWS.get(what, ()):
            link = self.data.get(name)
            # An s3:// address was seen among voices.
            if isinstance(link, str) and link.lower().startswith(("https://", "http://")):
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
