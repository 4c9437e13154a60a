"""Puts every stored secret under the newest of FIELD_KEYS, after which the older ones can be taken out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from polling import clock, schedule
from polling import keys as key_states
from polling.models import KeyState
from workspaces_app import audit, crypto
from workspaces_app.models import WebhookEndpoint, Workspace


class Command(BaseCommand):
    help = "Encrypts all API keys and webhook secrets with the first key of FIELD_KEYS. Safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        changed = 0
        for workspace in Workspace.objects.exclude(encrypted_key=""):
            try:
                changed += rotate(workspace)
            except crypto.SealError as error:
                unreadable += 1
                self.stderr.write(f"workspace {workspace.slug}: {error}")
        for endpoint in WebhookEndpoint.objects.exclude(encrypted_secret=""):
            try:
                changed += rotate_secret(endpoint)
            except crypto.SealError as error:
                unreadable += 1
                self.stderr.write(f"webhook of workspace {endpoint.workspace_id}: {error}")
        self.stdout.write(f"{changed} secrets are under the newest key now.")
        if unreadable:
            raise CommandError(f"{unreadable} could not be opened: keep the older keys, or enter these anew.")


def rotate(workspace: Workspace) -> bool:
    """Seals a workspace's key anew; False when the newest key did it already.

    Fingerprints are keyed too, so the key gets another one, and what was known of it (closed until …) comes along.
    """
    key = crypto.unseal(workspace.encrypted_key)
    fingerprint = crypto.fingerprint(key)
    if crypto.is_newest(workspace.encrypted_key) and workspace.key_fingerprint == fingerprint:
        return False
    before = workspace.key_fingerprint
    with transaction.atomic():
        Workspace.objects.filter(pk=workspace.pk, encrypted_key=workspace.encrypted_key).update(
            encrypted_key=crypto.seal(key), key_fingerprint=fingerprint
        )
        for closed in KeyState.objects.filter(fingerprint=before).exclude(fingerprint=fingerprint):
            seconds = closed.remaining(clock.now())
            if seconds != 0.0:
                scope: key_states.Scope = "paid" if closed.scope == KeyState.Scope.PAID else "all"
                key_states.close(fingerprint, seconds=seconds, reason=closed.reason, scope=scope)
        schedule.rekey(workspace.pk, fingerprint)
        audit.record(
            "key.rotated",
            actor=None,
            workspace_id=workspace.pk,
            about=workspace,
            data={"from": before, "fingerprint": fingerprint},
        )
    return True


def rotate_secret(endpoint: WebhookEndpoint) -> bool:
    secret = crypto.unseal(endpoint.encrypted_secret)
    if crypto.is_newest(endpoint.encrypted_secret):
        return False
    sealed = crypto.seal(secret)
    unchanged = WebhookEndpoint.objects.filter(pk=endpoint.pk, encrypted_secret=endpoint.encrypted_secret)
    return unchanged.update(encrypted_secret=sealed) == 1
