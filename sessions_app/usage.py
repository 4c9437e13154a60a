"""What the videos of a workspace came to, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _

from sessions_app.models import StatusGroup, Video
from workspaces_app.models import Workspace
from workspaces_app.overview import UsageLine, usage_line


def lines(workspace: Workspace, since: datetime) -> Sequence[UsageLine]:
    """Videos that were finished, their length, and what they cost at `VIDEO_PRICE_PER_SECOND`; failed ones are free."""
    made = Video.objects.filter(workspace=workspace, group=StatusGroup.DONE, first_seen_at__gte=since)
    found = made.aggregate(number=Count("pk"), seconds=Sum("duration", filter=Q(duration__gt=0)))
    return [
        usage_line(
            _("Videos in %(days)s days"),
            found["number"],
            seconds=found["seconds"] or 0.0,
            price=settings.VIDEO_PRICE_PER_SECOND,
        )
    ]
