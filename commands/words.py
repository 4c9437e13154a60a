"""The ledger's codes as sentences. A code never seen before is shown as it came."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from polling import reasons

_WAITING: dict[str, Promise] = {
    "order": _("It goes out after the one before it."),
    "ceiling": _("As many are running as HeyGen allows at once. It starts when one ends."),
    "key_unreadable": _(
        "The workspace's API key cannot be decrypted any more. An admin has to enter it again."
    ),
    "unknown": _("Neither the request budget nor the key's state can be read at the moment."),
    "retry": _("It got no clear answer. We try again."),
    "create": _("It goes out as soon as HeyGen has accepted the start."),
}
# What ends the wait for what `polling.reasons` tells.
_UNTIL: dict[str, Promise] = {
    "budget": _("It goes out in its turn."),
    "no_key": _("An admin can enter one."),
    "unauthorized": _("An admin has to look at it."),
    "payment_required": _(
        "It goes out once an admin says on the workspace's page that there is credit again."
    ),
}
_SOON = _("It goes out as soon as it may.")

_UNCLEAR: dict[str, Promise] = {
    "unclear": _("HeyGen gave no clear answer: it may have been taken or not."),
    "sender_ended": _("We were interrupted while it was sent: it may have been taken or not."),
    # Perhaps because HeyGen could not be asked: that we saw nothing does not mean that nothing is there.
    "not_seen": _("We did not find out at HeyGen whether it was taken."),
    "no_way_to_tell": _("HeyGen offers no way to see whether it was taken."),
    "no_list": _("HeyGen's older dialect has no list of sessions to find it in."),
}


def why_waiting(code: str) -> str:
    """Why a queued command has not gone out, for people; "" for none."""
    if fact := reasons.fact(code):
        return f"{fact} {_UNTIL.get(code, _SOON)}"
    return str(_WAITING.get(code, code))


def why_unclear(code: str) -> str:
    """Why nobody knows how a command ended, or why a person is asked, for people."""
    return str(_UNCLEAR.get(code, code))
