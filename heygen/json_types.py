"""Names for decoded JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
Raw = Mapping[str, Any]
