"""One error class for each kind of failure, by the status first and the code second (contract, section 2)."""

from __future__ import annotations

import pickle

import pytest

import heygen
from heygen import ApiError, Client
from tests.heygen.server import KEY, Server, answer, error

# Every row of section 2.3, with the status that it is documented or presumed to have.
CODES = [
    (400, "invalid_parameter", heygen.Refused),
    (400, "validation_error", heygen.Refused),
    (400, "content_policy_violation", heygen.Refused),
    (400, "script_too_short", heygen.Refused),
    (400, "tts_text_invalid", heygen.Refused),
    (400, "avatar_consent_required", heygen.Refused),
    (400, "resource_limit_reached", heygen.Refused),
    (400, "unlimited_mode_disabled", heygen.Refused),
    (400, "download_failed", heygen.Refused),
    (401, "authentication_failed", heygen.Unauthorized),
    (401, "unauthorized", heygen.Unauthorized),
    (402, "insufficient_credit", heygen.PaymentRequired),
    (402, "trial_limit_exceeded", heygen.PaymentRequired),
    (402, "plan_upgrade_required", heygen.PaymentRequired),
    (402, "subscription_required", heygen.PaymentRequired),
    (403, "forbidden", heygen.Forbidden),
    (403, "resource_access_denied", heygen.Forbidden),
    (403, "ai_vendor_access_restricted", heygen.Forbidden),
    (403, "voice_not_usable", heygen.Forbidden),
    (404, "not_found", heygen.NotFound),
    (404, "resource_not_found", heygen.NotFound),
    (404, "video_not_found", heygen.NotFound),
    (404, "avatar_not_found", heygen.NotFound),
    (404, "avatar_group_not_found", heygen.NotFound),
    (404, "voice_not_found", heygen.NotFound),
    (404, "template_not_found", heygen.NotFound),
    (404, "asset_not_found", heygen.NotFound),
    (404, "webhook_not_found", heygen.NotFound),
    (409, "conflict", heygen.Conflict),
    (409, "resource_not_ready", heygen.Conflict),
    (409, "brand_kit_not_ready", heygen.Conflict),
    (409, "request_in_progress", heygen.Conflict),
    (410, "gone", heygen.Gone),
    (413, "payload_too_large", heygen.Refused),
    (422, "invalid_parameter", heygen.Refused),
    (429, "rate_limit_exceeded", heygen.RateLimited),
    (429, "rate_limited", heygen.RateLimited),
    (429, "quota_exceeded", heygen.QuotaExceeded),
    (500, "internal_error", heygen.ServerError),
    (500, "video_delete_failed", heygen.ServerError),
    (502, "voice_provider_error", heygen.ServerError),
    (503, "service_unavailable", heygen.ServerError),
    (504, "gateway_timeout", heygen.ServerError),
    # "Status not stated": the status decides, whatever it turns out to be.
    (400, "voice_unavailable", heygen.Refused),
    (404, "asset_not_available", heygen.NotFound),
    (403, "ephemeral_upload_disabled", heygen.Forbidden),
    # Unknown codes and statuses.
    (400, "something_new", heygen.Refused),
    (418, "something_new", heygen.Refused),
    (520, "something_new", heygen.ServerError),
]


def raised(client: Client) -> ApiError:
    with pytest.raises(ApiError) as caught:
        client.read_session("s")
    return caught.value


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_every_code(server: Server, client: Client, status: int, code: str, kind: type[ApiError]) -> None:
    server.reply(error(status, code, "Some words.", param="prompt", doc_url="https://docs.example.com/e"))

    found = raised(client)

    assert type(found) is kind
    assert (found.status, found.code, found.message) == (status, code, "Some words.")
    assert (found.param, found.doc_url) == ("prompt", "https://docs.example.com/e")
    assert str(found) == f"{status} {code}: Some words."


@pytest.mark.parametrize(("status", "code", "kind"), CODES)
def test_a_200_that_holds_an_error_is_what_its_code_says(
    server: Server, client: Client, status: int, code: str, kind: type[ApiError]
) -> None:
    server.reply(error(200, code, "Some words."))

    found = raised(client)

    # A code that names no status of its own is a plain refusal.
    named = kind if code in heygen.errors.STATUS_OF_CODE else heygen.Refused
    assert type(found) is named
    assert found.status == 200


def test_an_error_beside_data_is_no_failure(server: Server, client: Client) -> None:
    server.reply(answer({"data": {"id": "e1"}, "error": {"code": "x"}}), answer({"data": {}, "error": None}))

    assert client.delete_webhook_endpoint("e1").id == "e1"
    assert client.delete_webhook_endpoint("e1").id == "e1"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": "No such thing"}, "validation_error", "No such thing"),
        ({"error": "bad", "message": "The whole story"}, "validation_error", "The whole story"),
        ({"message": "At the top"}, "validation_error", "At the top"),
        ({"code": 400123, "message": "Old"}, "400123", "Old"),
        (
            {"error": {"code": None, "message": None}},
            "validation_error",
            '{"error": {"code": null, "message": null}}',
        ),
        ({"detail": "Not this way"}, "validation_error", "Not this way"),
        ([1, 2], "validation_error", "[1, 2]"),
        (b"", "validation_error", ""),
    ],
)
def test_tolerated_bodies(server: Server, client: Client, body: object, code: str, message: str) -> None:
    server.reply(answer(body, 400))

    found = raised(client)

    assert type(found) is heygen.Refused
    assert (found.code, found.message) == (code, message)


def test_html_is_kept_in_part(server: Server, client: Client) -> None:
    page = b"<html>\n<h1>502 Bad   Gateway</h1>" + b"x" * 10_000
    server.reply(answer(page, 502, {"Content-Type": "text/html"}))

    found = raised(client)

    assert type(found) is heygen.ServerError
    assert (found.code, len(found.message)) == ("html", 400)
    assert found.message.startswith("<html> <h1>502 Bad Gateway</h1>xxx")


def test_html_with_200_is_a_bad_payload(server: Server, client: Client) -> None:
    server.reply(answer(b"<html>login</html>", 200, {"Content-Type": "text/html"}))

    found = raised(client)

    assert type(found) is heygen.BadPayload
    assert (found.status, found.code) == (200, "html")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "86400"}, 86_400.0),
        ({"Retry-After": "5, 20"}, 20.0),
        # A date counts from the server's own clock, an hour wrong as it may be.
        (
            {"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"},
            20.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:20 GMT"}, 0.0),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 366 * 86_400.0),
        ({"Retry-After": "9" * 12}, 366 * 86_400.0),
        ({"Retry-After": "9" * 500}, 366 * 86_400.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(server: Server, client: Client, headers: dict[str, str], seconds: float | None) -> None:
    server.reply(error(429, "rate_limit_exceeded", "Wait.", headers))

    assert raised(client).retry_after == seconds


def test_retry_after_counts_for_other_errors_too(server: Server, client: Client) -> None:
    server.reply(error(503, "service_unavailable", "Wait.", {"Retry-After": "7"}))

    assert raised(client).retry_after == 7.0


def test_retry_after_survives_a_broken_body(server: Server, client: Client) -> None:
    server.reply(lambda: [answer(b"{", 429, {"Retry-After": "20"}, length=100), b"\x00close"])

    found = raised(client)

    assert (type(found), found.retry_after) == (heygen.RateLimited, 20.0)


def test_the_request_id_is_kept_when_there_is_one(server: Server, client: Client) -> None:
    server.reply(
        error(500, "internal_error", "x", {"X-Request-Id": "req-7"}), error(500, "internal_error", "x")
    )

    assert [raised(client).request_id, raised(client).request_id] == ["req-7", None]


def test_lengths_are_bounded(server: Server, client: Client) -> None:
    server.reply(error(400, "c" * 5_000, "m" * 50_000, param="p" * 5_000, doc_url="d" * 50_000))

    found = raised(client)

    assert [len(part or "") for part in (found.code, found.message, found.param, found.doc_url)] == [
        200,
        2000,
        200,
        2000,
    ]


def test_errors_survive_pickling() -> None:
    errors = [
        heygen.RateLimited("Wait.", status=429, code="rate_limited", retry_after=3.0),
        heygen.Held("budget", 1.5),
        heygen.NotFound("Nothing.", status=404, code="not_found", param="id"),
    ]

    for one in errors:
        again = pickle.loads(pickle.dumps(one))
        assert (type(again), vars(again), str(again)) == (type(one), vars(one), str(one))


def test_a_dialect_that_the_server_does_not_speak_is_called_so(
    server: Server, client: Client, old_client: Client
) -> None:
    wanted = heygen.CreateSession("Hi")
    for reply, asked in (
        (error(404, "not_found", "Nothing."), old_client),
        (error(405, "", ""), client),
        (error(400, "invalid_parameter", "message is required", param="message"), old_client),
    ):
        server.reply(reply)
        with pytest.raises(heygen.Refused) as caught:
            asked.create_session(wanted)
        assert caught.value.code == "dialect_not_supported"
        assert not isinstance(caught.value, heygen.NotFound)

    # The same complaint in the current dialect is about something else.
    server.reply(error(400, "invalid_parameter", "x", param="message"))
    with pytest.raises(heygen.Refused) as caught:
        client.create_session(wanted)
    assert caught.value.code == "invalid_parameter"


def test_a_server_that_quotes_the_key_does_not_get_it_into_an_error(server: Server, client: Client) -> None:
    server.reply(
        error(
            401,
            f"bad_{KEY}",
            f"no such key: {KEY}",
            {"X-Request-Id": KEY},
            param=KEY,
            doc_url=f"https://a/{KEY}",
        )
    )

    found = raised(client)

    assert KEY not in repr(found) + str(vars(found)) + str(found.args)
    assert found.message == "no such key: [key]"
