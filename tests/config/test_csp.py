from __future__ import annotations

import asyncio

from django.http import HttpResponse
from django.test import RequestFactory

from config.csp import ContentSecurityPolicyMiddleware

POLICY = "default-src 'self'; img-src 'self' data:"


def test_adds_the_policy_of_the_settings(settings):
    settings.SECURE_CSP = {"default-src": ["'self'"], "img-src": ["'self'", "data:"]}
    middleware = ContentSecurityPolicyMiddleware(lambda request: HttpResponse("page"))

    response = middleware(RequestFactory().get("/"))

    assert response.headers["Content-Security-Policy"] == POLICY


def test_works_around_an_async_view(settings):
    settings.SECURE_CSP = {"default-src": ["'self'"], "img-src": ["'self'", "data:"]}

    async def view(request):
        return HttpResponse("page")

    response = asyncio.run(ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/")))

    assert response.headers["Content-Security-Policy"] == POLICY


def test_a_view_may_have_a_stricter_one():
    def view(request):
        return HttpResponse("file", headers={"Content-Security-Policy": "sandbox"})

    response = ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))

    assert response.headers["Content-Security-Policy"] == "sandbox"
