"""Where a request came from.

REMOTE_ADDR can be believed: the server replaces it by what X-Forwarded-For says only as far as the peers are
`settings.TRUSTED_PROXIES`.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from django.http import HttpRequest


def client(request: HttpRequest) -> str | None:
    """The person's address in its canonical spelling; None where there is none (a unix socket)."""
    try:
        address = ip_address(request.META.get("REMOTE_ADDR") or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


def neighbourhood(address: str | None) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that one IPv6 customer gets."""
    if address is None:
        return "local"
    if ":" in address:
        return str(ip_network(f"{address}/64", strict=False))
    return address
