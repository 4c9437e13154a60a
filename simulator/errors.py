"""The error envelope of the API, as an exception."""

from __future__ import annotations

from typing import Any

DOC_URL = "https://docs.example.com/errors"


class ApiError(Exception):
    """An answer other than success. `param` is left out of the body when `with_param` is false (as live 401s do)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
        with_param: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.headers = headers or {}
        self.with_param = with_param

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.with_param:
            error["param"] = self.param
            error["doc_url"] = None
        else:
            error["doc_url"] = DOC_URL
        return {"error": error}


def invalid(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, "invalid_parameter", message, param=param)


def not_found(what: str) -> ApiError:
    return ApiError(404, "not_found", f"{what} not found.")


def conflict(message: str) -> ApiError:
    return ApiError(409, "conflict", message)


def too_many(message: str, retry_after: int) -> ApiError:
    return ApiError(429, "rate_limit_exceeded", message, headers={"Retry-After": str(retry_after)})


def insufficient_credit() -> ApiError:
    return ApiError(402, "insufficient_credit", "There is not enough credit on this account.")
