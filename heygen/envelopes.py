"""The outer layer of answers: what is a failure, and where the data is.

Source: heygen-api.md, sections 1 and 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heygen.decoding import WrongShape, parse, storable_text
from heygen.errors import ApiError, BadPayload, error_class
from heygen.json_types import JsonObject
from heygen.transport import MESSAGE_LIMIT, Answer, retry_after


def opened_body(answer: Answer) -> JsonObject:
    """The JSON object of a successful answer; an empty body is an empty object.

    Raises BadPayload, or for a 200 that holds an error the class that its code stands for.
    """
    if not answer.body.strip():
        return {}
    try:
        body = parse(answer.body)
    except WrongShape as problem:
        raise BadPayload(
            f"{problem}: {_snippet(answer.body)}",
            status=answer.status,
            code="html" if _is_html(answer) else "not_json",
            request_id=_request_id(answer.headers),
        ) from None
    if not isinstance(body, dict):
        raise BadPayload("the answer is not a JSON object", status=answer.status, code="wrong_shape")
    if body.get("error") is not None and body.get("data") is None:
        raise failure(answer)
    return body


def failure(answer: Answer) -> ApiError:
    """The error of an answer that is one, by its status first and its code second.

    Bodies may be empty, HTML, an error object, a bare string, or have the message at the top.
    """
    try:
        body = parse(answer.body)
    except WrongShape:
        body = None
    found = _error_object(body)
    code = _word(found.get("code")) or ("html" if _is_html(answer) else "")
    if not code and 400 <= answer.status < 500 and answer.status in {400, 422}:
        code = "validation_error"
    message = _word(found.get("message"), 2_000) or _word(found.get("detail"), 2_000)
    if not message:
        message = _snippet(answer.body)
    return error_class(answer.status, code)(
        message,
        status=answer.status,
        code=code,
        param=_word(found.get("param")) or None,
        doc_url=_word(found.get("doc_url"), 2_000) or None,
        request_id=_request_id(answer.headers),
        retry_after=retry_after(answer.headers),
    )


def _error_object(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        return {}
    error = body.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):
        # `code` or `message` may stand beside a bare string.
        return {
            "message": body.get("message") or error,
            **{k: body[k] for k in ("code", "param") if k in body},
        }
    return body


def _word(value: Any, longest: int = 200) -> str:
    if isinstance(value, str):
        return value[:longest]
    # Numeric codes were used on old paths.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9 else ""


def _is_html(answer: Answer) -> bool:
    kind = (answer.headers.get("Content-Type") or "").lower()
    return "html" in kind or answer.body[:200].lstrip()[:1] == b"<"


def _snippet(body: bytes) -> str:
    text = storable_text(body[: MESSAGE_LIMIT * 4].decode("utf-8", "replace"))
    return " ".join(text.split())[:MESSAGE_LIMIT]


def _request_id(headers: Mapping[str, str]) -> str | None:
    return storable_text(headers.get("X-Request-Id") or "")[:255] or None
