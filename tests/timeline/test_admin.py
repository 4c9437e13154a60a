from __future__ import annotations

import pytest
import uuid6
from django.contrib import admin
from django.test import RequestFactory

from commands.admin import CommandAdmin
from commands.models import Command
from timeline import exchanges
from timeline.admin import EventAdmin, ExchangeAdmin
from timeline.models import Event, Exchange
from workspaces_app.models import User, Workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "its_admin"), [(Event, EventAdmin), (Exchange, ExchangeAdmin), (Command, CommandAdmin)]
)
def test_not_even_a_superuser_changes_anything(
    rf: RequestFactory, model: type, its_admin: type[admin.ModelAdmin]
) -> None:
    request = rf.get("/")
    request.user = User.objects.create_superuser("ops@example.com", "a password")
    page = its_admin(model, admin.site)

    assert page.get_model_perms(request) == {"add": False, "change": False, "delete": False, "view": True}
    assert page.get_actions(request) == {}


def test_staff_read_what_was_said() -> None:
    workspace = Workspace.objects.create(name="Red", slug="red")
    exchanges.keep(
        [
            exchanges.NewExchange(
                workspace.pk, "session", uuid6.uuid7(), "GET /x", None, {"note": "<script>alert(1)</script>"}
            )
        ]
    )

    shown = ExchangeAdmin(Exchange, admin.site).content(Exchange.objects.get())

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<script>" not in shown
