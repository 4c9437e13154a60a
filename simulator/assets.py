"""Uploaded files: kept on disk, described in the store."""

from __future__ import annotations

from .accounts import Account
from .world import World


class Assets:
    def __init__(self, world: World) -> None:
        self.world = world

    def owns(self, account: Account, identifier: str) -> bool:
        return False

    def url(self, identifier: str) -> str | None:
        return None
