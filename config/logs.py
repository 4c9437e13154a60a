"""Log lines without secrets: what looks like a key, a password or a signature is cut out of the finished line."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "[hidden]"

# Each pattern keeps its group 1 and hides what follows it.
PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Headers and fields, as text, JSON or a dict's repr.
        r"""((?:x-api-key|api[_-]?key|authorization|secret[_-]?key|password)["']?\s*[:=]\s*["']?(?:bearer\s+|basic\s+)?)[^\s"',;&}]+""",
        r"(://[^/\s:@]*:)[^/\s@]+(?=@)",  # a password in an address
        r"([?&](?:signature|x-amz-signature|x-amz-credential|x-amz-security-token|policy|token|key-pair-id)=)[^\s&\"'<>]+",
        r"(\bsk_)[A-Za-z0-9_\-]{8,}",  # HeyGen's own form of a key
        r"(\bgAAAA)[A-Za-z0-9_\-=]{20,}",  # an encrypted field
    )
)


def redact(line: str, secrets: Iterable[str] = ()) -> str:
    """`line` without the given secrets and without what has the shape of one."""
    for secret in secrets:
        line = line.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        line = pattern.sub(rf"\1{HIDDEN}", line)
    return line


class RedactingFormatter(logging.Formatter):
    """Redacts last, so that arguments, tracebacks and other people's loggers are covered as well."""

    def __init__(self, *args: Any, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self.secrets)
