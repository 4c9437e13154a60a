"""The check of what the client sends must be able to fail."""

from __future__ import annotations

import pytest

from heygen.transport import Request, Secret
from tests.contract.client_requests import AgainstContract, check, check_foreign

KEY = Secret("sk_test")
URL = "https://api.heygen.com"


def request(
    method: str, path: str, template: str = "", body: dict[str, object] | None = None, **headers: str
) -> Request:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request.of(method, URL + path, template or path.partition("?")[0], KEY, sent, body)


def test_what_fits() -> None:
    check(request("POST", "/v3/video-agents", body={"prompt": "Hi", "mode": "chat"}))
    check(request("GET", "/v3/video-agents?limit=100&token=abc"))
    check(request("GET", "/v3/video-agents/a%2Fb", "/v3/video-agents/{session_id}"))
    check(request("POST", "/v3/webhooks/endpoints", body={"url": "https://a/"}, Idempotency_Key="a-1"))
    check_foreign(Request("PUT", "https://upload.example.com/x", "", None, {}, b"x"))


@pytest.mark.parametrize(
    "bad",
    [
        request("POST", "/v3/video-agents", body={"prompt": "Hi", "auto_proceed": True}),
        request("POST", "/v3/video-agents", body={"prompt": ""}),
        request("POST", "/v3/video-agents", body={"prompt": "x" * 10_001}),
        request(
            "POST", "/v3/video-agents", body={"prompt": "Hi", "files": [{"type": "url", "asset_id": "a"}]}
        ),
        request("POST", "/v3/video-agents"),
        request("PUT", "/v3/video-agents", body={}),
        request("GET", "/v3/unknown"),
        request("GET", "/v3/video-agents?limit=101"),
        request("GET", "/v3/video-agents?page=2"),
        request("GET", "/v3/video-agents?limit=1&limit=2"),
        request("GET", "/v3/video-agents?token="),
        request("GET", "/v3/assets"),
        request("GET", "/v3/video-agents/a/b", "/v3/video-agents/{session_id}"),
        request("GET", "/v3/video-agents/", "/v3/video-agents/{session_id}"),
        request("GET", "/v3/users/me", body={}),
        request("POST", "/v3/video-agents", body={"prompt": "Hi"}, Idempotency_Key="a"),
        request("POST", "/v3/webhooks/endpoints", body={"url": "https://a/"}, Idempotency_Key="a b"),
        Request("GET", f"{URL}/v3/users/me", "/v3/users/me", None, {}, None),
    ],
)
def test_what_does_not(bad: Request) -> None:
    with pytest.raises(AgainstContract):
        check(bad)


def test_the_key_for_another_host_is_noticed() -> None:
    with pytest.raises(AgainstContract):
        check_foreign(Request("PUT", "https://upload.example.com/x", "", KEY, {}, b"x"))
    with pytest.raises(AgainstContract):
        check_foreign(Request("PUT", "https://upload.example.com/x", "", None, {"X-Api-Key": "k"}, b"x"))
