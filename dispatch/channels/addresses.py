"""Addresses: where a webhook may go. A URL is somebody else's word; it must not reach into our own network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host name and port to numeric addresses; raises OSError where there are none."""

_UNICAST = ipaddress.IPv6Network("2000::/3")
"""What of IPv6 is given out to hosts of the internet at large."""

_SPECIAL: Sequence[Network] = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # assignments of the IETF
            "192.31.196.0/24", "192.175.48.0/24", "2620:4f:8000::/48",  # AS112: answered by the nearest
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # relays of 6to4
            "168.63.129.16/32",  # the host below, on machines rented from one provider
            "2001::/23",  # assignments of the IETF, Teredo and ORCHID among them
            "2001:db8::/32", "3fff::/20",  # documentation
            "2002::/16",  # 6to4: an IPv4 address is written inside
            "3ffe::/16",  # a test network, given back
        ),
    )
)  # fmt: skip
"""Of what else would pass as public, networks that are no hosts of the internet at large.

Source: the special-purpose address registries of IANA (RFC 6890), whatever the interpreter's own table holds.
"""


class Allowed(NamedTuple):
    """A network that may be sent to although it is not public, and on which port; None for any."""

    network: Network
    port: int | None = None

    @classmethod
    def of(cls, text: str) -> "Allowed":
        """Read ``10.1.0.0/16``, ``10.0.0.5/32:8443`` or ``fd00::/8:8443``.

        Raises
        ------
        ValueError
        """
        base, slash, rest = text.partition("/")
        mask, colon, port = rest.partition(":")
        network = ipaddress.ip_network(base + slash + mask)
        if not colon:
            return cls(network)
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
            raise ValueError(f"{port!r} is no port")
        return cls(network, int(port))


class UrlError(ValueError):
    """A URL that nothing is sent to; says why."""


class AddressError(ValueError):
    """A host that leads to where nothing may be sent; names it, for the log only."""


@dataclass(frozen=True, slots=True)
class Url:
    """A webhook's URL, taken apart.

    Attributes
    ----------
    host : str
        In ASCII; an IPv6 address without its brackets.
    path : str
        What stands behind the host, with the query.
    """

    tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Value of the ``Host`` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def parse(url: str) -> Url:
    """Take a webhook's URL apart.

    Raises
    ------
    UrlError
        It is none: not http or https, with credentials, without a host, with a port that there is not.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > 2_000:
        raise UrlError("地址含非法字符 a URL has no spaces and only ASCII letters; write others as %XX")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlError(f"地址无效 this is no URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise UrlError("地址须以 http:// 或 https:// 开头 expected http:// or https://")
    if "@" in parts.netloc:
        raise UrlError("地址不得含用户名或密码 a URL with a user or a password in it is not taken")
    if not parts.hostname or "%" in parts.hostname:
        raise UrlError("地址缺少主机名 the URL names no host")
    if port == 0:
        raise UrlError("端口无效 a port is 1 to 65535")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    tls = parts.scheme == "https"
    return Url(tls, parts.hostname, port or (443 if tls else 80), path)


def resolve(host: str, port: int) -> list[str]:
    """Numeric addresses of a host, as the system's resolver gives them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Whether an address is one host of the internet at large, whatever it is written as."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_allowed(address: Address, port: int, allowed: Sequence[Allowed]) -> bool:
    """Whether an address may be sent to because it is allowed, public or not."""
    plain = getattr(address, "ipv4_mapped", None) or address
    return any(plain in one.network and one.port in (None, port) for one in allowed)


def checked(host: str, port: int, allowed: Sequence[Allowed], resolver: Resolve) -> list[Address]:
    """Resolve a host, once, and see that all its addresses may be sent to.

    Hosts of the public internet may on the ports of the web and on those that no system service has: 80, 443, and
    1024 and above.

    Parameters
    ----------
    allowed : sequence of Allowed
        What may be sent to although it is not public.

    Raises
    ------
    AddressError
        One of them may not.
    OSError
        The name cannot be resolved.
    """
    found = [ipaddress.ip_address(text.partition("%")[0]) for text in resolver(host, port)]
    for address in found:
        if is_allowed(address, port, allowed):
            continue
        if not is_public(address) or not (port in (80, 443) or port >= 1_024):
            raise AddressError(f"{host} leads to {address}, port {port}, which is not public or not allowed")
    if not found:
        raise OSError(f"no address of {host}")
    return found
