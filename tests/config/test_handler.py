"""Django's requests through our handler: in one thread, whatever the view does."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path

from config.handler import Handler
from tests.factories import UserFactory
from workspaces_app.models import User

threads: list[int] = []


class Noting:
    """A middleware that notes which thread it runs in."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        threads.append(threading.get_ident())
        return self.get_response(request)


@login_not_required
def count_users(request: HttpRequest) -> HttpResponse:
    threads.append(threading.get_ident())
    return HttpResponse(f"{request.method} {User.objects.count()} {request.body.decode()}")


@login_not_required
def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken view")


@pytest.fixture(autouse=True)
def _urls(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ModuleType("urls_of_this_test")
    urls.urlpatterns = [path("users", count_users), path("fail", fail)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "urls_of_this_test", urls)
    settings.ROOT_URLCONF = "urls_of_this_test"
    settings.MIDDLEWARE = ["tests.config.test_handler.Noting", *settings.MIDDLEWARE]
    threads.clear()


async def ask(handler: Handler, url: str, body: bytes = b"") -> tuple[int, dict[bytes, bytes], bytes]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": url,
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"content-length", b"%d" % len(body))],
    }
    sent: list[dict[str, Any]] = []
    asked = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not asked.is_set():
            asked.set()
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    await handler(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


@pytest.mark.django_db(transaction=True)
def test_the_whole_stack_runs_in_one_thread_and_answers():
    UserFactory()

    status, headers, body = asyncio.run(ask(Handler(), "/users", b"words"))

    assert (status, body) == (200, b"GET 1 words")
    assert b"Content-Security-Policy" in headers
    assert len(threads) == 2
    assert len(set(threads)) == 1
    assert threads[0] != threading.get_ident()


@pytest.mark.django_db(transaction=True)
def test_requests_run_beside_each_other():
    handler = Handler()
    together = threading.Barrier(3)

    def wait_for_the_others(*_: Any) -> HttpResponse:
        together.wait(5)
        return HttpResponse("ok")

    sys.modules["urls_of_this_test"].urlpatterns.append(path("wait", login_not_required(wait_for_the_others)))

    async def three() -> list[int]:
        answers = await asyncio.gather(*(ask(handler, "/wait") for _ in range(3)))
        return [status for status, _, _ in answers]

    assert asyncio.run(three()) == [200, 200, 200]


@pytest.mark.django_db(transaction=True)
def test_a_failing_view_is_a_500(settings: Any):
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False

    status, _, _ = asyncio.run(ask(Handler(), "/fail"))

    assert status == 500
