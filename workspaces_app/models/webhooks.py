"""HeyGen's webhooks: the endpoint that we registered, and what was delivered to it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workspaces_app.models.workspaces import Workspace
from workspaces_app.scoping import WorkspaceScoped


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
