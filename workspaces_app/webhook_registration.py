"""What we tell HeyGen of our webhook, and what HeyGen tells us of the deliveries that did not arrive.

register   our row with its unguessable address is written first. When the answer to the call is lost, the next press
           finishes the same registration: HeyGen repeats its first answer, or says that it knows the address
rotate     the old secret is dead at once; an answer that was lost is made up for by rotating again
remove     at HeyGen first, then here
catch up   by polling, every ten minutes: a session that had ended is woken by nothing else

Source: heygen-api.md, sections 10.1 and 3.3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import heygen
import heygen.webhooks
from polling import schedule
from polling.budget import Priority
from polling.digests import digest_of
from polling.kinds import Announcement, Change, Changed, Claim, Kind, Pace, Reading, Unchanged
from workspaces_app import audit, crypto, webhooks
from workspaces_app.connections import Connection, client_for, connections_for
from workspaces_app.models import User, WebhookDelivery, WebhookEndpoint, Workspace
from workspaces_app.readings import failed

KIND = "deliveries"
EVERY_SECONDS = 600.0
AFTER_FAILURE_SECONDS = 60.0
# A hundred deliveries each.
CATCH_UP_PAGES = 3


@dataclass(frozen=True, slots=True)
class Done:
    """How a change of the webhook ended, in words for the person who asked for it."""

    well: bool
    message: str


def change(workspace: Workspace, what: str, *, by: User, request: HttpRequest | None = None) -> Done:
    """Does one of ACTIONS at HeyGen and here. Raises KeyError for any other word."""
    act = ACTIONS[what]
    if what == "register" and not webhooks.possible():
        return Done(
            False, _("Webhooks need a public https address (PUBLIC_URL). This installation has none.")
        )
    try:
        client = client_for(workspace, priority=Priority.COMMAND)
        message = act(workspace, client, webhooks.endpoint_of(workspace))
    except (heygen.NoAnswer, heygen.ServerError, heygen.BadPayload) as error:
        return Done(False, _UNCLEAR[what] % {"why": error})
    except heygen.ApiError as error:
        return Done(False, _("HeyGen did not do it: %(why)s") % {"why": error})
    if what != "catch-up":
        audit.record(f"webhook.{what}", actor=by, workspace_id=workspace.pk, about=workspace, request=request)
    return Done(True, message)


def _register(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is not None and endpoint.remote_id:
        return _("A webhook is registered already.")
    begun = endpoint or _begun(workspace)
    try:
        made = _made(client, begun)
    except (heygen.NotSent, heygen.RateLimited, heygen.Refused):
        # Nothing was made by this press. By an earlier one of unclear end it may have been.
        if endpoint is None:
            begun.delete()
        raise
    WebhookEndpoint.objects.filter(pk=begun.pk).update(
        remote_id=made.endpoint_id,
        status=made.status[:40],
        encrypted_secret=crypto.seal(made.secret) if made.secret else "",
    )
    schedule.enroll(
        KIND, [workspace.pk], workspace_id=workspace.pk, fingerprint=workspace.key_fingerprint, group="done"
    )
    schedule.wake(KIND, [workspace.pk])
    return _("The webhook is registered.")


def _begun(workspace: Workspace) -> WebhookEndpoint:
    """The row before the call: deliveries may come sooner than the answer."""
    path_token = secrets.token_urlsafe(32)
    url = settings.PUBLIC_URL.rstrip("/") + reverse("webhooks:endpoint", args=[path_token])
    return WebhookEndpoint.objects.create(workspace=workspace, path_token=path_token, url=url)


def _made(client: heygen.Client, begun: WebhookEndpoint) -> heygen.WebhookEndpoint:
    key = sha256(begun.path_token.encode()).hexdigest()
    try:
        return client.create_webhook_endpoint(begun.url, idempotency_key=key)
    except heygen.Conflict:
        # Taken by an earlier press whose answer was lost, longer ago than HeyGen remembers the key.
        known = _listed(client, begun.url)
        if known is None:
            raise
    rotated = client.rotate_webhook_secret(known.endpoint_id)
    return replace(known, secret=rotated.secret)


def _listed(client: heygen.Client, url: str) -> heygen.WebhookEndpoint | None:
    listed = heygen.every(lambda token: client.list_webhook_endpoints(token=token))
    return next((each for each in listed if each.url == url), None)


def _rotate(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is None or not endpoint.remote_id:
        return _("No webhook is registered.")
    rotated = client.rotate_webhook_secret(endpoint.remote_id)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(encrypted_secret=crypto.seal(rotated.secret))
    return _("The webhook has a new signing secret.")


def _remove(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    if endpoint is None:
        return _("No webhook is registered.")
    remote_id = endpoint.remote_id
    if not remote_id and (known := _listed(client, endpoint.url)) is not None:
        remote_id = known.endpoint_id
    if remote_id:
        with suppress(heygen.NotFound):  # gone already is what was wanted
            client.delete_webhook_endpoint(remote_id)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).delete()
    schedule.retire(KIND, [workspace.pk])
    return _("The webhook is removed.")


def _catch_up(workspace: Workspace, client: heygen.Client, endpoint: WebhookEndpoint | None) -> str:
    taken = _take_all(workspace.pk, _events(client))
    return _("%(count)s deliveries were not known yet.") % {"count": taken}


ACTIONS: Mapping[str, Callable[[Workspace, heygen.Client, WebhookEndpoint | None], str]] = {
    "register": _register,
    "catch-up": _catch_up,
    "rotate": _rotate,
    "remove": _remove,
}

_UNCLEAR: Mapping[str, Promise] = {
    "register": gettext_lazy(
        "HeyGen gave no clear answer (%(why)s): it may have been registered. Press again to finish it."
    ),
    "catch-up": gettext_lazy("HeyGen could not tell (%(why)s)."),
    "rotate": gettext_lazy(
        "HeyGen gave no clear answer (%(why)s). The old secret may be dead: press again, or deliveries are refused."
    ),
    "remove": gettext_lazy(
        "HeyGen gave no clear answer (%(why)s). Press again to be sure that it is removed."
    ),
}


# --- Catching up -----------------------------------------------------------------------------------------------------


def _events(client: heygen.Client) -> list[heygen.webhooks.Delivery]:
    """What HeyGen delivered or tried to, newest first. One that arrived does not mean that those before it did."""
    pages = heygen.pages(lambda token: client.list_webhook_events(token=token), most=CATCH_UP_PAGES)
    return [
        heygen.webhooks.delivery_of(event.raw, event_id=event.event_id)
        for page in pages
        for event in page.items
    ]


def _take_all(workspace_id: UUID, notices: Sequence[heygen.webhooks.Delivery]) -> int:
    """Takes those that are new, oldest first; returns how many."""
    known = set(
        WebhookDelivery.objects.filter(
            workspace_id=workspace_id, key__in={notice.duplicate_key for notice in notices}
        ).values_list("key", flat=True)
    )
    fresh = [notice for notice in reversed(notices) if notice.duplicate_key not in known]
    return sum(webhooks.take(workspace_id, notice, source="catch-up") for notice in fresh)


def _load(claims: Sequence[Claim]) -> Mapping[UUID, Connection]:
    """Workspaces without a webhook are retired: nothing was delivered to them."""
    registered = WebhookEndpoint.objects.filter(
        workspace_id__in=[claim.object_id for claim in claims]
    ).exclude(remote_id="")
    return connections_for(registered.values_list("workspace_id", flat=True))


def _read(claim: Claim, job: Connection) -> Reading:
    try:
        notices = _events(job.client(priority=Priority.BACKGROUND))
    except heygen.ApiError as error:
        return failed(error)
    digest = digest_of([notice.duplicate_key for notice in notices])
    if digest == claim.digest:
        return Unchanged(group="done")
    return Changed(digest=digest, group="done", value=notices)


def _write(plans: Sequence[tuple[Change, list[heygen.webhooks.Delivery]]]) -> Sequence[Announcement]:
    for change, notices in plans:
        _take_all(change.claim.workspace_id, notices)
    return []


def _cadence(pace: Pace) -> float | None:
    if pace.failures:
        pause = min(EVERY_SECONDS, AFTER_FAILURE_SECONDS * 2.0 ** min(pace.failures - 1, 10))
        return max(pace.retry_after or 0.0, pause)
    return EVERY_SECONDS


DELIVERIES = Kind(
    name=KIND,
    load=_load,
    read=_read,
    gather=lambda changes: {},
    merge=lambda change, stored: change.value,
    write=_write,
    cadence=_cadence,
)
