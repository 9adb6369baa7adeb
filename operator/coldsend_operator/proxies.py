"""The proxy for a URL, by HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

Libraries parse NO_PROXY differently and fail on values that platforms write there (`[::1]`, `fd01::/48`), so
it is parsed once, here, in every form that curl or Go programs accept.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?")


@dataclass(frozen=True, slots=True)
class _Direct:
    """One entry of NO_PROXY: a network or a domain with what is below it; without a port, any port."""

    network: Network | None = None
    domain: str = ""
    port: int | None = None

    def matches(self, host: str, port: int | None) -> bool:
        if self.port not in {None, port}:
            return False
        address = _address(host)
        if self.network is not None:
            return address is not None and address in self.network
        return address is None and (host == self.domain or host.endswith(f".{self.domain}"))


@dataclass(frozen=True, slots=True)
class Proxies:
    """`ignored` are the invalid entries of NO_PROXY and the invalid proxies."""

    by_scheme: Mapping[str, str]
    direct: tuple[_Direct, ...] = ()
    nowhere: bool = False  # NO_PROXY=*
    ignored: tuple[tuple[str, str], ...] = ()  # name of the variable, text

    def to(self, url: str, *, any_scheme: bool = False) -> str | None:
        """The proxy for the URL; None: no proxy. `any_scheme`: ALL_PROXY counts too."""
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS.get(parts.scheme)
        if self.nowhere or any(entry.matches(host, port) for entry in self.direct):
            return None
        return self.by_scheme.get(parts.scheme) or (self.by_scheme.get("all") if any_scheme else None)


def proxies_of(environment: Mapping[str, str]) -> Proxies:
    """A variable in lower case takes precedence over the one in upper case."""
    by_scheme, ignored = {}, []
    for scheme in ("http", "https", "all"):
        name, text = _variable(environment, f"{scheme}_proxy")
        proxy = usable_proxy(text)
        if proxy is not None:
            by_scheme[scheme] = proxy
        elif text:
            ignored.append((name, text))
    name, text = _variable(environment, "no_proxy")
    entries = {entry: _direct(entry) for entry in _entries(text)}
    ignored += [(name, entry) for entry, direct in entries.items() if direct is None and entry != "*"]
    direct = tuple(direct for direct in entries.values() if direct is not None)
    return Proxies(by_scheme, direct, "*" in entries, tuple(ignored))


def _variable(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    for spelled in (name, name.upper()):
        text = environment.get(spelled, "").strip()
        if text:
            return spelled, text
    return name, ""


def usable_proxy(text: str) -> str | None:
    """The URL of a proxy, `http` if the text has no scheme; None if there is no host, or for a proxy such as SOCKS."""
    url = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return url if usable else None


def _entries(text: str) -> Iterator[str]:
    return (entry for entry in re.split(r"[,\s]+", text.lower()) if entry)


def _direct(entry: str) -> _Direct | None:
    """The parsed entry; None if invalid."""
    network = _network(entry.removeprefix("[").removesuffix("]") if entry.startswith("[") else entry)
    if network is not None:
        return _Direct(network)
    host, port = _split_port(entry)
    network = _network(host.removeprefix("[").removesuffix("]")) if "/" not in host else None
    if network is not None:
        return _Direct(network, port=port)
    domain = host.removeprefix("*").removeprefix(".") if host.startswith((".", "*.")) else host
    return _Direct(domain=domain.rstrip("."), port=port) if _HOST.fullmatch(domain) else None


def _split_port(entry: str) -> tuple[str, int | None]:
    host, colon, port = entry.rpartition(":")
    if colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536:
        return host, int(port)
    return entry, None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.partition("%")[0], strict=False)
    except ValueError:
        return None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
