"""The schedule is rewritten at every poll: it gets free space in its pages and a vacuum that comes early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import migrations

TUNED = """
ALTER TABLE polling_pollstate SET (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 0
)
"""
PLAIN = """
ALTER TABLE polling_pollstate RESET (
    fillfactor, autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor, autovacuum_vacuum_cost_delay
)
"""


def _on_postgresql(statement: str) -> Callable[[Any, Any], None]:
    def run(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("polling", "0001_initial")]

    operations = [migrations.RunPython(_on_postgresql(TUNED), _on_postgresql(PLAIN))]
