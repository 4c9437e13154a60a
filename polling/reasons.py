"""Why HeyGen was not asked, or gave no good answer: a sentence for each code that an engine or a key's state has.

One for all who tell them: a page that is late, a press that waits, a key that rests, a banner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_FACTS: Mapping[str, _StrPromise] = {
    "unreachable": _("HeyGen cannot be reached."),
    "rate_limited": _("HeyGen asked us to slow down."),
    "quota_exceeded": _("The HeyGen account has used up its allowance for now."),
    "budget": _("There is more to ask HeyGen for than its limits allow."),
    "unauthorized": _("HeyGen refuses the workspace's API key."),
    "payment_required": _("The HeyGen account has no balance left."),
    "no_key": _("The workspace has no API key."),
}


def fact(code: str) -> str:
    """The sentence; "" for a code that is none of these."""
    known = _FACTS.get(code)
    return str(known) if known is not None else ""
