"""Parsers for settings that are more than a number or a word.

Each `to_` function takes the text of the variable and raises ValueError if it is invalid.
"""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

KEY_PATTERN = re.compile(r"cs_(?:live|test)_[\w-]+")
"""The pattern of ColdSend API keys."""

_LABEL_TEXT = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DNS_SUBDOMAIN = rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*"
_LABEL_KEY = rf"(?:{_DNS_SUBDOMAIN}/)?{_LABEL_TEXT}"
_REQUIREMENT = re.compile(
    rf"\s*(?:!\s*{_LABEL_KEY}"
    rf"|{_LABEL_KEY}"
    rf"|{_LABEL_KEY}\s*(?:==?|!=)\s*(?:{_LABEL_TEXT})?"
    rf"|{_LABEL_KEY}\s+(?:in|notin)\s*\(\s*(?:{_LABEL_TEXT})?(?:\s*,\s*(?:{_LABEL_TEXT})?)*\s*\))\s*"
)
_OUTSIDE_PARENTHESES = re.compile(r",(?![^()]*\))")


@dataclass(frozen=True, slots=True)
class Address:
    """A listen address: an empty host means every interface, IPv4 and IPv6; port 0 takes a free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DeleteBrake:
    """How many deletions may leave without approval: a number, or a share of the managed inboxes."""

    number: int | None = None
    percent: float = 50.0

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.number is None else str(self.number)


def to_audit_log(text: str) -> str:
    """`stdout` or `off` in any case, or the absolute path of a file."""
    if text.strip().lower() in {"stdout", "off"}:
        return text.strip().lower()
    if not Path(text).is_absolute() or Path(text).is_dir():
        raise ValueError("no absolute path of a file")
    return text


def to_address(text: object) -> Address | None:
    """`host:port`, `:port` for every interface of both families, `[v6]:port`; None for `off`."""
    if isinstance(text, Address) or text is None:
        return text
    text = str(text)
    if text.strip().lower() == "off":
        return None
    host, colon, port = text.strip().rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("no port")
    if ":" in host:
        if not (host.startswith("[") and host.endswith("]")):
            raise ValueError("an IPv6 address stands in brackets")
        host = host[1:-1]
    if not re.fullmatch(r"[A-Za-z0-9.:_-]*", host):
        raise ValueError("no host")
    return Address(host, int(port))


def to_delete_brake(text: object) -> DeleteBrake:
    if isinstance(text, DeleteBrake):
        return text
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)\s*%|(\d{1,9})", str(text).strip(), re.ASCII)
    if match is None:
        raise ValueError("neither a number nor a percentage")
    if match[2] is not None:
        return DeleteBrake(number=int(match[2]))
    percent = float(match[1])
    if percent > 100:
        raise ValueError("more than 100%")
    return DeleteBrake(percent=percent)


def to_namespaces(text: object) -> tuple[str, ...]:
    """Comma-separated names, each once, in the order given."""
    if isinstance(text, tuple):
        return text
    names = [name.strip() for name in str(text).split(",")]
    names = [name for name in names if name]
    for name in names:
        if not re.fullmatch(_DNS_LABEL, name):
            raise ValueError(f"{name} is no name of a namespace")
    return tuple(dict.fromkeys(names))


def to_namespace(text: str) -> str:
    if not re.fullmatch(_DNS_LABEL, text):
        raise ValueError("no name of a namespace")
    return text


def to_object_name(text: str) -> str:
    """An object name short enough for the suffix `-state` of the ConfigMap."""
    if len(text) > 247 or not re.fullmatch(_DNS_SUBDOMAIN, text):
        raise ValueError("no name of an object")
    return text


def to_label_selector(text: str) -> str:
    """The selector as given, validated here, as the API server would refuse it only at the first list."""
    for requirement in _OUTSIDE_PARENTHESES.split(text):
        if text.strip() and not _REQUIREMENT.fullmatch(requirement):
            raise ValueError(f"{requirement.strip()} is no requirement")
    return text.strip()


def to_base_url(text: str) -> str:
    """An absolute URL without a trailing slash, credentials, query and fragment."""
    url = urlsplit(text.strip())
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or "@" in url.netloc:
        raise ValueError("no base URL")
    if re.search(r"[\s\x00-\x1f\x7f]", text.strip()):
        raise ValueError("a URL has no spaces")
    if url.port == 0:  # reading it also raises ValueError for what is no port
        raise ValueError("no port")
    return text.strip().rstrip("/")


def to_ca_file(path: Path | None) -> Path | None:
    if path is not None:
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:  # missing, unreadable, or without a certificate
            raise ValueError("no CA certificates") from error
    return path


def to_api_key(text: object) -> object:
    """The key without spaces and line breaks around it; it must fit into a header.

    Docker's --env-file keeps quotation marks, which would be sent as part of the key.
    """
    if not isinstance(text, str):
        return text
    key = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", key) or key[0] in "\"'`<":
        raise ValueError("no API key")
    return key
