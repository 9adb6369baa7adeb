"""Messages of ColdSend, made safe to show: no secret of the call, one line, at most 200 characters.

ColdSend may quote the request in an error (FastAPI does), in any encoding.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pydantic import SecretStr

from coldsend_operator.addresses import comparable
from coldsend_operator.spellings import MASK, one_line, spellings

MAX_SENTENCE = 200
MAX_RAW = 20_000  # a longer text is not a message; cutting it could leave part of a secret
MAX_TEXT = 100_000  # of one response: a search for the secrets of 100 inboxes in megabytes would block the event loop
MIN_LENGTH = 4  # shorter secrets occur in too many words
MIN_DISTINCT_LENGTH = 8  # only longer ones are unlikely to occur in a message by chance
HEAD_LENGTH = 6  # this many leading characters identify a truncated quote

_ANY_KEY = re.compile(r"cs_live_[\w-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """One inbox of a call: `secrets` are masked in messages about it, `shown` are its values that are not secret."""

    address: str
    secrets: tuple[SecretStr, ...]
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Form:
    """One spelling of a secret. `member` is its position in the call, None for a secret of the whole call."""

    text: str
    folded: str
    member: int | None
    word: bool  # so short that it is masked only as a whole word
    telling: bool  # so long that it does not occur by chance


class Mask:
    """Masks the secret values of one call: `secrets` of the whole call, and those of each member.

    Members of a bulk may belong to different tenants. A message about one never shows its own secrets in any spelling,
    nor a long secret of another. A short or common secret of another is not masked, as its owner could garble messages;
    nor is one that the member itself has in a field, as the mask would confirm a guess of another's password.
    """

    def __init__(self, secrets: Iterable[SecretStr] = (), members: Iterable[Member] = ()) -> None:
        self._secrets = tuple(secrets)
        self._members = tuple(members)
        self._left = MAX_TEXT

    def member_at(self, address: str | None) -> int | None:
        """The member with this address; None if the call has none, or several."""
        key = comparable(address or "")
        return self._addresses.index(key) if self._addresses.count(key) == 1 else None

    def sentence(self, text: str, member: int | None = None) -> str:
        """One line of at most 200 characters about `member`; None: about the whole call."""
        if not text:
            return ""
        if len(text) > MAX_RAW or len(text) > self._left:
            return f"(a text of {len(text)} characters)"
        self._left -= len(text)
        if len(self._members) == 1:
            member = 0
        # Twice: before the lines are joined for secrets that span lines, and after for their joined form.
        line = one_line(self._masked(text, member))
        line = line if line == text else self._masked(line, member)
        return line if len(line) <= MAX_SENTENCE else line[: MAX_SENTENCE - 1] + "…"

    def _masked(self, text: str, member: int | None) -> str:
        text = _ANY_KEY.sub(MASK, text)
        # Looked for one by one first: a pattern of the thousands of spellings of a bulk takes longer to make than all
        # of its sentences take to search. casefold, unlike lower, does not depend on the neighbours of a letter.
        folded = text.casefold()
        found = [form for form in self._forms if form.folded in folded and self._hides(form, member)]
        if found:
            text = re.sub("|".join(map(_pattern, found)), MASK, text, flags=re.IGNORECASE)
        return _without_parts(text, (form for form in self._forms if form.member in {None, member}))

    def _hides(self, form: _Form, member: int | None) -> bool:
        if member is None or form.member in {None, member}:
            return True
        return form.telling and not any(form.folded in shown for shown in self._shown[member])

    @cached_property
    def _addresses(self) -> list[str]:
        return [comparable(member.address) for member in self._members]

    @cached_property
    def _shown(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(each.casefold() for each in (member.address, *member.shown)) for member in self._members)

    @cached_property
    def _forms(self) -> tuple[_Form, ...]:
        """Every spelling, computed for the first message; the longest first, so that no part remains."""
        values: dict[tuple[str, int | None], None] = {(each.get_secret_value(), None): None for each in self._secrets}
        for at, member in enumerate(self._members):
            values |= {(each.get_secret_value(), at): None for each in member.secrets}
        several = len(self._members) > 1
        forms = [
            _Form(text, text.casefold(), at, at is not None and several and len(text) < MIN_LENGTH, _telling(value))
            for value, at in values
            for text in spellings(value)
        ]
        return tuple(sorted(forms, key=lambda form: len(form.text), reverse=True))


def _telling(secret: str) -> bool:
    """Whether it cannot be ordinary words: letters alone must be as many as in an app password."""
    return len(secret) >= (2 * MIN_DISTINCT_LENGTH if secret.isalpha() else MIN_DISTINCT_LENGTH) and not any(
        map(str.isspace, secret)
    )


def _pattern(form: _Form) -> str:
    return rf"(?<!\w){re.escape(form.text)}(?!\w)" if form.word else re.escape(form.text)


def _without_parts(text: str, forms: Iterable[_Form]) -> str:
    """The text without truncated quotes of a secret."""
    folded = text.casefold()
    for form in forms:
        if len(form.text) < MIN_DISTINCT_LENGTH or form.folded[:HEAD_LENGTH] not in folded:
            continue
        at = 0
        while (found := re.compile(re.escape(form.text[:HEAD_LENGTH]), re.IGNORECASE).search(text, at)) is not None:
            end, length = found.end(), HEAD_LENGTH
            while end < len(text) and length < len(form.text) and text[end].casefold() == form.text[length].casefold():
                end, length = end + 1, length + 1
            text, at = text[: found.start()] + MASK + text[end:], found.start() + len(MASK)
        folded = text.casefold()
    return text
