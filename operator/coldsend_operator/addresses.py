"""E-mail addresses with non-ASCII characters: the canonical form for writing and comparing."""

import unicodedata


def ascii_domain(domain: str) -> str:
    """The xn-- form of a domain, in lower case."""
    labels = unicodedata.normalize("NFC", domain.lower()).replace("\u3002", ".").split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def domain_of(address: str) -> str:
    """The domain of an address, in the compared form; empty if there is none."""
    return comparable(address).rpartition("@")[2] if "@" in address else ""


def comparable(address: str) -> str:
    """In lower case, composed (NFC), with the domain in its xn-- form, without ASCII spaces around it.

    Web servers may return a domain in Unicode and compose characters.
    """
    text = address.strip(" \t\r\n")
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    local, at, domain = composed.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"
