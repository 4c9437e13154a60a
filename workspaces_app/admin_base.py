"""What an admin of mirrored rows is: a look at them. What staff look at is noted by `GuardedAdminSite`."""

from __future__ import annotations

from uuid import UUID

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from timeline.admin import ReadOnlyAdmin, list_link

__all__ = ["ReadOnlyAdmin", "history_links"]


def history_links(kind: str, object_id: UUID) -> list[SafeString]:
    """Links from an object to all that the engines know of it: presses, events, what was said on the wire, its polls."""
    return [
        list_link("commands_command", _("commands"), object_id=object_id),
        list_link("timeline_event", _("events"), object_kind=kind, object_id=object_id),
        list_link("timeline_exchange", _("exchanges"), object_kind=kind, object_id=object_id),
        list_link("polling_pollstate", _("polls"), object_id=object_id),
    ]
