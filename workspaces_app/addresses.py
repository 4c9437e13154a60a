"""Where a request came from, as far as it can be believed."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4)
def _networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(each, strict=False) for each in trusted)


def _plain(text: str) -> str | None:
    """The address in one canonical spelling; None when it isn't one (a unix socket, garbage in a header)."""
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def _is_trusted(address: str) -> bool:
    return any(ip_address(address) in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def client(request: HttpRequest) -> str | None:
    """The address of the person's side, None when there is none (a unix socket).

    X-Forwarded-For counts from its right end and only as far as the peers are `settings.TRUSTED_PROXIES`:
    whatever stands left of the first stranger was written by that stranger.
    """
    address = _plain(request.META.get("REMOTE_ADDR") or "")
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address is not None and hops and _is_trusted(address):
        further = _plain(hops.pop())
        if further is None:
            break
        address = further
    return address


def neighbourhood(address: str | None) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that one IPv6 customer gets."""
    if address is None:
        return "local"
    if ":" in address:
        return str(ip_network(f"{address}/64", strict=False))
    return address
