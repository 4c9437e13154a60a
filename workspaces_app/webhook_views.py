"""Where HeyGen knocks. Every answer is short and quick: nothing is read from HeyGen here."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from heygen.decoding import WrongShape
from heygen.webhooks import NotVerified, delivery_of, parse_delivery, verify
from polling import clock
from workspaces_app import crypto, webhooks
from workspaces_app.models import WebhookEndpoint, Workspace

logger = logging.getLogger(__name__)
security_log = logging.getLogger("dailies.security")

BODY_BYTES = 1024 * 1024
PROBES = ("GET", "HEAD", "OPTIONS")


@csrf_exempt
@login_not_required
@require_http_methods([*PROBES, "POST"])
def endpoint(request: HttpRequest, path_token: str) -> HttpResponse:
    """The webhook of one workspace. HeyGen probes with OPTIONS or GET before it registers the address."""
    if request.method in PROBES:
        # The same for every address: a probe must not tell which of them exist.
        return HttpResponse(status=200)
    row = WebhookEndpoint.objects.filter(path_token=path_token).first()
    if row is None:
        raise Http404
    raw = _body(request)
    if raw is None:
        return HttpResponse(status=413)
    # A registration that is not finished, or whose answer held no secret, has the unguessable address alone.
    if row.encrypted_secret:
        try:
            verify(raw, request.headers, crypto.unseal(row.encrypted_secret), now=clock.now())
        except NotVerified as refusal:
            security_log.warning("webhook of workspace %s refused: %s", row.workspace_id, refusal.reason)
            return HttpResponseForbidden()
    try:
        notice = parse_delivery(raw, request.headers)
    except WrongShape:
        return HttpResponseBadRequest()
    webhooks.take(row.workspace_id, notice, source="webhook")
    return HttpResponse(status=200)


@csrf_exempt
@login_not_required
@require_http_methods([*PROBES, "POST"])
def callback(request: HttpRequest, token: str) -> HttpResponse:
    """The callback address of one object: unsigned, so its token is the secret."""
    if request.method in PROBES:
        return HttpResponse(status=200)
    opened = webhooks.opened_callback(token)
    if opened is None or not Workspace.objects.filter(pk=opened[0]).exists():
        raise Http404
    raw = _body(request)
    if raw is None:
        return HttpResponse(status=413)
    try:
        notice = parse_delivery(raw, request.headers)
    except WrongShape:
        # Whatever it says, even nothing: that somebody knocks here is the news.
        notice = delivery_of({}, body=raw)
    workspace_id, kind, object_id = opened
    webhooks.take(workspace_id, notice, source="callback", object_kind=kind, object_id=object_id)
    return HttpResponse(status=200)


def _body(request: HttpRequest) -> bytes | None:
    """The raw body; None when it is larger than any webhook."""
    raw = request.read(BODY_BYTES + 1)
    return None if len(raw) > BODY_BYTES else raw
