"""Reads the environment: one function per kind of value, each with one clear sentence for a wrong one.

Only `config/` uses this module, and nothing else in the product looks at `os.environ`. Every function raises
`ImproperlyConfigured`, whose text is a whole line for the person who starts Dailies; it never repeats a secret.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, *, default: str | None = None) -> str:
    """The variable as it stands, without surrounding blanks. An empty one counts as not set."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set")
    return default


def secret(name: str, *, default: str | None = None, file: Path | None = None) -> str:
    """A secret from `NAME`, from the file that `NAME_FILE` names, or from `file` where one lies there already."""
    named = os.environ.get(f"{name}_FILE", "").strip()
    if named:
        if os.environ.get(name, "").strip():
            raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: keep one")
        try:
            value = Path(named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            raise ImproperlyConfigured(f"{name}_FILE={named!r} cannot be read: {_reason(exc)}") from exc
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE={named!r} is empty")
        return value
    if file is not None and name not in os.environ:
        try:
            return file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            pass
        except OSError as exc:
            raise ImproperlyConfigured(f"{name}: {str(file)!r} cannot be read: {_reason(exc)}") from exc
    return text(name, default=default)


def flag(name: str, *, default: bool) -> bool:
    value = text(name, default=str(default))
    if value not in ("True", "False"):
        raise ImproperlyConfigured(f"{name}={value!r}: write True or False")
    return value == "True"


def choice(name: str, options: tuple[str, ...], *, default: str) -> str:
    value = text(name, default=default)
    if value not in options:
        raise ImproperlyConfigured(f"{name}={value!r}: write one of {', '.join(options)}")
    return value


def whole(name: str, *, default: int, least: int, most: int) -> int:
    value = text(name, default=str(default))
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name}={value!r}: write a whole number from {least} to {most}")
    return int(value)


def decimal(name: str, *, default: float, least: float, most: float) -> float:
    value = text(name, default=str(default))
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    # A NaN fails every comparison, so it is refused here too.
    if not least <= number <= most:
        raise ImproperlyConfigured(f"{name}={value!r}: write a number from {least:g} to {most:g}")
    return number


def words(name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list written with commas or blanks between its items."""
    value = text(name, default=",".join(default))
    return tuple(value.replace(",", " ").split())


def origin(name: str, *, default: str) -> str:
    """`scheme://host[:port]`, lower case, without a trailing slash."""
    return as_origin(name, text(name, default=default))


def origins(name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
    """A list of origins; a bare host name stands for its https origin. Order kept, doubles dropped."""
    found = (
        as_origin(name, item if "://" in item else f"https://{item}") for item in words(name, default=default)
    )
    return tuple(dict.fromkeys(found))


def as_origin(name: str, value: str) -> str:
    """`value` as an exact http or https origin, or the sentence that says why it is none."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or parts.scheme not in ("http", "https")
        or parts.path not in ("", "/")
        or any((parts.query, parts.fragment, parts.username, parts.password))
        or not host.replace("-", "").replace(".", "").replace(":", "").replace("_", "").isalnum()
    ):
        raise ImproperlyConfigured(f"{name}={value!r}: write an address like https://dailies.example.com")
    bracketed = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{bracketed}" + (f":{port}" if port is not None else "")


def url(name: str, schemes: tuple[str, ...], *, default: str) -> str:
    """A URL that may hold a password, so a wrong one is not repeated in the error."""
    value = secret(name, default=default)
    scheme = value.partition("://")[0]
    if "://" not in value or scheme not in schemes:
        raise ImproperlyConfigured(
            f"{name}: write an address that starts with {' or '.join(s + '://' for s in schemes)}"
        )
    return value


def networks(name: str, *, default: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses and networks (`10.0.0.0/8`), as written."""
    found = words(name, default=default)
    for item in found:
        try:
            ipaddress.ip_network(item)
        except ValueError as exc:
            raise ImproperlyConfigured(
                f"{name}: {item!r} is no address or network; write addresses like 10.0.0.5 or 10.0.0.0/24"
            ) from exc
    return found


def directory(name: str, *, default: Path) -> Path:
    """An absolute directory that exists and may be written; made when missing, readable by its owner only."""
    path = Path(text(name, default=str(default))).expanduser().absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise ImproperlyConfigured(f"{name}: {str(path)!r} cannot be made: {_reason(exc)}") from exc
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"{name}: {str(path)!r} is not writable")
    return path


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or "unknown reason" if isinstance(exc, OSError) else "it is not UTF-8 text"
