"""`/readyz`: whether this process can serve pages, which takes the database."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)


@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """200 "ok", or 503 when the database does not answer. The mirror's lag is not asked: a restart would not help."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as exc:
        logger.error("readyz: the database does not answer: %s", exc)
        return HttpResponse("database unreachable", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})
