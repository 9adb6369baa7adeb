"""Sentences of ColdSend, made fit for people: no secret of the call, one line, 200 characters at most.

ColdSend may quote in an error what it was sent (FastAPI does so), in whatever spelling its layers left it.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

MASK = "***"
MAX_SENTENCE = 200
MAX_RAW = 20_000  # what is longer is no sentence; cut short, it might end inside a secret

_ANY_KEY = re.compile(r"cs_live_[\w-]+", re.IGNORECASE)


class Mask:
    """Masks the secret values of one call. Their spellings are worked out when the first sentence needs them."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        self._secrets = tuple(secrets)

    def sentence(self, text: str) -> str:
        """One line of at most 200 characters."""
        if not text:
            return ""
        if len(text) > MAX_RAW:
            return f"(a text of {len(text)} characters)"
        # Twice: a secret that spans lines shows in full before the lines are joined, its joined form only after.
        line = self._masked(one_line(self._masked(text)))
        return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1] + "…"

    def _masked(self, text: str) -> str:
        text = _ANY_KEY.sub(MASK, text)
        # Looked for one by one first: a pattern of the thousands of spellings of a bulk takes longer to make than all
        # of its sentences take to search. casefold, unlike lower, does not depend on the neighbours of a letter.
        folded = text.casefold()
        shown = [spelling for spelling, key in self._spellings if key in folded]
        return re.sub("|".join(map(re.escape, shown)), MASK, text, flags=re.IGNORECASE) if shown else text

    @cached_property
    def _spellings(self) -> tuple[tuple[str, str], ...]:
        """Every spelling with its folded form, the longest first so that none is left in part."""
        secrets = {secret.get_secret_value() for secret in self._secrets}
        spellings = {form for secret in secrets for form in _spellings(secret)}
        return tuple((form, form.casefold()) for form in sorted(spellings, key=len, reverse=True))


def one_line(text: str) -> str:
    """Without control and format characters (such as those that reverse the direction of text), spaces joined."""
    visible = "".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text)
    return " ".join(visible.split())


def _spellings(secret: str) -> set[str]:
    """The forms in which a secret may come back, as text; upper and lower case are left to the pattern."""
    forms = {secret, secret.strip(), json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    forms |= {repr(secret)[1:-1], quote(secret), quote(secret, safe=""), quote_plus(secret)}
    forms |= set(_base64(secret.encode(errors="replace")))
    forms |= {one_line(form) for form in forms}
    return forms - {""}


def _base64(secret: bytes) -> Iterator[str]:
    """Base64 of the secret alone, and the part of it that shows within a longer text (AUTH PLAIN, Basic)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(secret).decode().rstrip("=")
        for before in range(3):
            whole = encode(bytes(before) + secret).decode().rstrip("=")
            # Characters that also hold bits of the neighbours differ from text to text.
            inner = whole[(0, 2, 3)[before] : (before + len(secret)) * 8 // 6]
            if len(inner) >= 6:  # shorter, it would hit half the words of a sentence
                yield inner
