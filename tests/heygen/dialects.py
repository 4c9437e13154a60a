"""The same client in the other dialect: the product makes one for each session instead."""

from __future__ import annotations

import copy

from heygen import Client, Dialect


def in_dialect(client: Client, dialect: Dialect) -> Client:
    """Shares connections and gate."""
    other = copy.copy(client)
    other._dialect = dialect
    return other
