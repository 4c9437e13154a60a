"""What the live streams of a workspace came to, for its page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from realtime_app.models import Stream
from workspaces_app.models import Workspace
from workspaces_app.overview import UsageLine, usage_line


def lines(workspace: Workspace, since: datetime) -> Sequence[UsageLine]:
    """Streams that played, for how long, and what they cost at `REALTIME_PRICE_PER_SECOND`."""
    played = Stream.objects.filter(workspace=workspace, started_at__gte=since)
    columns = played.only("started_at", "ended_at", "gone_at").timed()
    lengths = [stream.seconds_live for stream in columns.iterator()]
    return [
        usage_line(
            _("Live streams in %(days)s days"),
            len(lengths),
            seconds=sum(lengths),
            price=settings.REALTIME_PRICE_PER_SECOND,
        )
    ]
