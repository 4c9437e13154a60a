"""What the simulator is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_KEY = "simulated-heygen-key"
DIALECTS = ("both", "current", "sessions")


@dataclass(frozen=True, slots=True)
class Config:
    """Start settings; everything that may change while it runs lives in `settings.Settings`.

    `public_url` has no trailing slash and is what browsers and the product reach; every link starts with it.
    `speed` is story seconds per real second. `keys` are API keys, each an account of its own.
    """

    data_dir: Path
    public_url: str = "http://127.0.0.1:8900"
    speed: float = 1.0
    seed: int = 0
    dialects: str = "both"
    keys: tuple[str, ...] = (DEFAULT_KEY,)
    allow_http_webhooks: bool = False
    control_open: bool = False
    scenarios: Path | None = None
