"""E-mail addresses outside ASCII: the one form in which they are written and compared."""

import unicodedata


def ascii_domain(domain: str) -> str:
    """The xn-- form in which mail servers know a domain, in lower case."""
    labels = unicodedata.normalize("NFC", domain.lower()).replace("\u3002", ".").split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def domain_of(address: str) -> str:
    """The domain of an address, in the form in which addresses are compared; empty when there is none."""
    return comparable(address).rpartition("@")[2] if "@" in address else ""


def comparable(address: str) -> str:
    """In lower case, composed (NFC), the domain in its xn-- form, blanks of ASCII around it cut off.

    Validators of web servers show a domain in letters and compose what was sent.
    """
    text = address.strip(" \t\r\n")
    if text.isascii():
        return text.lower()
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    local, at, domain = composed.rpartition("@")
    return f"{local}{at}{ascii_domain(domain)}"
