"""The second line of defense: no log line contains a password or an API key, whatever was logged.

The first line is SecretStr wherever a secret enters. This one replaces registered values (`mask`), whatever
looks like an API key, and values under names such as `smtp_password`.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping

from pydantic import SecretStr

from coldsend_operator.setting_values import KEY_PATTERN
from coldsend_operator.spellings import MASK, spellings

_REMEMBERED = 2_000  # the newest values; more would keep the passwords of a whole workspace in memory
_SHORTEST = 4  # shorter values occur in too many words
_SECRET_NAME = re.compile(r"password|passwd|api[_-]?key|authorization|bearer", re.IGNORECASE)
_QUOTED_VALUE = re.compile(
    r"""((?:password|api[_-]?key)[\w-]*\\?["']?\s*[:=]\s*)(\\?["'])(?:\\.|(?!\2).)*?\2""", re.IGNORECASE
)
_HEADER_VALUE = re.compile(r"\b(Bearer|Basic|X-API-Key:)\s+[^\s'\",]+", re.IGNORECASE)
_DEEPEST = 6
_OWN_WORDS = frozenset({"time", "level", "event", "namespace", "name", "workspace", "operation", "condition", "reason"})
ADDRESS_MASK = "(address)"
_NO_ADDRESS = r"\s@<>()\[\],;:\"'`=|/%"
_ADDRESS = re.compile(
    rf"[^{_NO_ADDRESS}]{{1,64}}(?:@|%40)[^{_NO_ADDRESS}.]{{1,63}}(?:\.[^{_NO_ADDRESS}.]{{1,63}}){{1,9}}",
    re.IGNORECASE,
)


class KnownSecrets:
    """Values to mask, found in a text in one pass, however many there are."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._values: OrderedDict[str, None] = OrderedDict()
        self._by_start: dict[str, list[str]] = {}

    def add(self, secret: SecretStr) -> None:
        value = secret.get_secret_value()
        if len(value) < _SHORTEST:
            return
        if value in self._values:
            self._values.move_to_end(value)
            return
        self._values[value] = None
        for form in _forms(value):
            self._by_start.setdefault(form[:_SHORTEST], []).append(form)
        if len(self._values) > self._remembered:
            self._forget(self._values.popitem(last=False)[0])

    def masked(self, text: str) -> str:
        if not self._by_start:
            return text
        parts, done, at, last = [], 0, 0, len(text) - _SHORTEST
        while at <= last:
            forms = self._by_start.get(text[at : at + _SHORTEST])
            found = max((form for form in forms if text.startswith(form, at)), key=len, default="") if forms else ""
            if found:
                parts += [text[done:at], MASK]
                at = done = at + len(found)
            else:
                at += 1
        return "".join([*parts, text[done:]])

    def _forget(self, value: str) -> None:
        for form in _forms(value):
            start = form[:_SHORTEST]
            self._by_start[start].remove(form)
            if not self._by_start[start]:
                del self._by_start[start]


_known = KnownSecrets()


def mask(value: SecretStr) -> None:
    """Mask this value in every log line from now on (the newest 2,000 values are kept)."""
    _known.add(value)


def masked_text(text: str) -> str:
    """The text without known secrets, API keys and values of quoted password fields."""
    text = KEY_PATTERN.sub(MASK, _known.masked(text))
    text = _QUOTED_VALUE.sub(rf"\1\2{MASK}\2", text)
    return _HEADER_VALUE.sub(rf"\1 {MASK}", text)


def mask_event(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Structlog processor: masks free texts, values with names of secrets, and from level info on addresses.

    The operator's own words (`_OWN_WORDS`) stay: a password that equals the name of another tenant's namespace or of
    an event must not garble the log.
    """
    quiet = event.get("level") == "debug"
    line: dict[str, object] = {}
    for name, value in event.items():
        if name in _OWN_WORDS and isinstance(value, str):
            line[name] = value
        else:
            masked = _masked(name, value, _DEEPEST)
            line[name] = masked if quiet else _without_addresses(masked)
    return line


def _without_addresses(masked: object) -> object:
    if isinstance(masked, str):
        return _ADDRESS.sub(ADDRESS_MASK, masked)
    if isinstance(masked, dict):
        return {key: _without_addresses(entry) for key, entry in masked.items()}
    return [_without_addresses(entry) for entry in masked] if isinstance(masked, list) else masked


def _masked(name: str, value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return MASK if _SECRET_NAME.search(name) and value is not None else value
    if _SECRET_NAME.search(name):
        return MASK
    if isinstance(value, Mapping) and depth:
        return {str(key): _masked(str(key), entry, depth - 1) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        return [_masked("", entry, depth - 1) for entry in value]
    return masked_text(str(value))


def _forms(value: str) -> Iterator[str]:
    return (form for form in spellings(value) if len(form) >= _SHORTEST)
