"""A studio whose wires to HeyGen and to PostgreSQL run through proxies, with a budget that is worth checking."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.proxy import Proxy
from tests.studio import Studio


@dataclass
class Wired(Studio):
    """`database` is None on SQLite: there is no wire. `rate` and `burst` are the budget of its key."""

    proxy: Proxy
    database: Proxy | None
    rate: float
    burst: int
