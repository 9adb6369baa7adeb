"""The forms in which a text may contain a secret, for masking ColdSend's responses and log lines."""

import base64
import html
import json
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

MASK = "***"
_HEX_OF_URL = re.compile(r"%[0-9A-F]{2}")


def spellings(secret: str) -> frozenset[str]:
    """The secret in plain text, JSON, a Python repr, URLs, HTML and base64, each also joined to one line."""
    forms = {secret, secret.strip(), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], *_html(secret), *_url(secret), *_base64(secret.encode(errors="replace"))}
    forms |= {one_line(form) for form in forms}
    return frozenset(forms - {""})


def one_line(text: str) -> str:
    """Without control and format characters (such as those that reverse the direction of text), spaces joined."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    visible = "".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text)
    return " ".join(visible.split())


def _url(secret: str) -> Iterator[str]:
    encoded = secret.encode(errors="replace")
    for form in (quote(encoded), quote(encoded, safe=""), quote_plus(encoded)):
        yield form
        yield _HEX_OF_URL.sub(lambda found: found[0].lower(), form)


def _html(secret: str) -> Iterator[str]:
    yield html.escape(secret, quote=False)
    for apostrophe in ("&#x27;", "&#39;", "&apos;"):
        for quotation in ("&quot;", "&#34;"):
            yield html.escape(secret).replace("&#x27;", apostrophe).replace("&quot;", quotation)


def _base64(secret: bytes) -> Iterator[str]:
    """Base64 of the secret alone, and its part that appears within a longer text (AUTH PLAIN, Basic)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode().rstrip("=")
        for before in range(3):
            whole = encode(bytes(before) + secret).decode().rstrip("=")
            # Characters that also encode neighboring bytes differ from text to text.
            inner = whole[(0, 2, 3)[before] : (before + len(secret)) * 8 // 6]
            if len(inner) >= 6:  # a shorter form would match too many words
                yield inner
