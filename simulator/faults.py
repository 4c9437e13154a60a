"""Faults on demand: what goes wrong with which call, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Fault:
    kind: str


class Faults:
    def strike(self, method: str, path: str, template: str, key: str) -> Fault | None:
        return None

    async def perform(self, fault: Fault, work: Any, scope: Any, receive: Any, send: Any) -> None: ...
