"""Lengths of time in few letters, to be read from afar."""

from __future__ import annotations

from django.utils.translation import gettext as _


def span(seconds: float) -> str:
    """0.4 -> "0 s", 75 -> "75 s", 300 -> "5 min", 7200 -> "2 h"."""
    if seconds < 120:
        return _("%d s") % round(seconds)
    if seconds < 7200:
        return _("%d min") % round(seconds / 60)
    return _("%d h") % round(seconds / 3600)
