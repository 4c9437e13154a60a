"""What an admin of mirrored rows is: a look at them. What staff look at is noted by `GuardedAdminSite`."""

from __future__ import annotations

from timeline.admin import ReadOnlyAdmin

__all__ = ["ReadOnlyAdmin"]
