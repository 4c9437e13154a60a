"""Signing in and out: throttled tries, sessions that end, and ending them everywhere.

A session ends after `settings.SESSION_IDLE_SECONDS` without a person's request and at the latest
`settings.SESSION_ABSOLUTE_SECONDS` after its sign-in. Both are the expiry date of the stored session, so that
the event stream, which knows no middleware, obeys them as well.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from uuid import uuid4

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.core import signing
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase

from eventstream import sessions as streams
from workspaces_app import addresses, audit, throttle
from workspaces_app.models import User

security_log = logging.getLogger("dailies.security")

ENDS_AT = "ends_at"
SEEN_AT = "seen_at"
TOUCH_EVERY_SECONDS = 300
DEVICE_SECONDS = 180 * 86400
_DEVICE = signing.TimestampSigner(salt="workspaces_app.device")


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many tries; `seconds` until the next one is looked at."""

    seconds: int


def check(request: HttpRequest, email: str, password: str) -> User | Throttled | None:
    """The active user with this e-mail address and password; None when there is none.

    A wrong password, an unknown address and a switched-off account give the same answer in the same time.
    """
    address = addresses.client(request)
    wanted = throttle.buckets(
        email=email, visitor=addresses.neighbourhood(address), device=_known_device(request, email)
    )
    wait = throttle.draw(wanted)
    if wait:
        security_log.warning("sign-in throttled for %s seconds, from %s", round(wait), address)
        return Throttled(seconds=round(wait + 0.5))
    found = auth.authenticate(request, username=email.strip().lower(), password=password)
    known = User.objects.filter(email=email.strip().lower()).first()
    if not isinstance(found, User):
        # What was typed is not kept: people type passwords into the wrong field.
        audit.record("sign-in.failed", actor=None, about=known, request=request)
        security_log.warning("sign-in failed, from %s", address)
        return None
    throttle.give_back(wanted)
    return found


def confirm(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of the person who is signed in. Throttled: a session left open on a desk, or a
    stolen one, is no place to guess from."""
    user = request.user
    if not isinstance(user, User):
        return False
    wanted = [throttle.Bucket(f"confirm {user.pk}", throttle.BY_DEVICE)]
    if throttle.draw(wanted):
        security_log.warning("password of user %s tried too often from a session of theirs", user.pk)
        return False
    if not user.check_password(password):
        audit.record("password.wrong", actor=user, about=user, request=request)
        return False
    throttle.give_back(wanted)
    return True


def begin(request: HttpRequest, user: User) -> None:
    """Signs the browser in under a new session key."""
    auth.login(request, user)
    request.session.pop(SEEN_AT, None)
    request.session[ENDS_AT] = time.time() + settings.SESSION_ABSOLUTE_SECONDS
    touch(request.session)
    audit.record("sign-in.succeeded", actor=user, about=user, request=request)


def touch(session: SessionBase) -> None:
    """Notes that a person is there, at most every 5 minutes; ends a session whose time is over."""
    now = time.time()
    if now - session.get(SEEN_AT, 0) < TOUCH_EVERY_SECONDS:
        return
    # A session made by other means (tests' force_login, the shell) begins to count here.
    left = session.setdefault(ENDS_AT, now + settings.SESSION_ABSOLUTE_SECONDS) - now
    if left <= 0:
        session.flush()
        return
    session[SEEN_AT] = now
    session.set_expiry(max(1, int(min(settings.SESSION_IDLE_SECONDS, left))))


def end(request: HttpRequest) -> None:
    """Signs the browser out and closes what it still listens to."""
    user, session_key = request.user, request.session.session_key
    if user.is_authenticated:
        audit.record("sign-out", actor=user, about=user, request=request)
    auth.logout(request)
    if session_key:
        streams.ended(session_key)


def end_elsewhere(request: HttpRequest, user: User) -> None:
    """Ends every session of the user but this one."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(sign_in_epoch=F("sign_in_epoch") + 1)
        user.refresh_from_db(fields=["sign_in_epoch"])
        audit.record("sign-out.everywhere", actor=user, about=user, request=request)
    auth.update_session_auth_hash(request, user)
    streams.ended_for(user.pk)


def change_password(request: HttpRequest, user: User, password: str) -> None:
    """Sets the user's own new password; every other session of theirs ends with the old one."""
    user.set_password(password)
    user.must_change_password = False
    with transaction.atomic():
        user.save(update_fields=["password", "must_change_password"])
        audit.record("password.changed", actor=user, about=user, request=request)
    auth.update_session_auth_hash(request, user)
    streams.ended_for(user.pk)


def _device_cookie() -> str:
    return "__Host-dailies_device" if settings.SESSION_COOKIE_SECURE else "dailies_device"


def remember_device(response: HttpResponseBase, request: HttpRequest, user: User) -> None:
    """Marks this browser as one that signed in to this account, for the throttle alone; it opens nothing."""
    if _known_device(request, user.email) is not None:
        return
    response.set_cookie(
        _device_cookie(),
        _DEVICE.sign(f"{user.pk}/{uuid4().hex}"),
        max_age=DEVICE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _known_device(request: HttpRequest, email: str) -> str | None:
    """The id in a valid device cookie of this very account."""
    try:
        value = _DEVICE.unsign(request.COOKIES.get(_device_cookie(), ""), max_age=DEVICE_SECONDS)
    except signing.BadSignature:
        return None
    user_id, _, device = value.partition("/")
    owned = User.objects.filter(pk=user_id, email=email.strip().lower()).exists()
    return device if owned else None
