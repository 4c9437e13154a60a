"""The database's clock in queries: the one clock that all processes share."""

from __future__ import annotations

import datetime

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now


def later(seconds: float) -> ExpressionWrapper[CombinedExpression]:
    """The database's now plus `seconds` (which may be negative), as an expression for `filter` and `update`."""
    return ExpressionWrapper(Now() + datetime.timedelta(seconds=seconds), output_field=DateTimeField())
