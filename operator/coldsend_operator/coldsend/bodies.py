"""From bytes to JSON values, and tolerant parsers of single values."""

import json
import math
from typing import Any

from pydantic_core import from_json

from coldsend_operator.coldsend.errors import NotUnderstood

MAX_TEXT_LENGTH = 1024
MAX_DIGITS = 300
MAX_SAFE_INTEGER = 2**53  # JSON parsers disagree about larger numbers


def read_json(body: bytes) -> Any:
    """The value of a JSON text; None for an empty body.

    Raises:
        NotUnderstood: it is not JSON.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return None
    try:
        return from_json(text)
    except ValueError:
        return _read_leniently(text)


def _read_leniently(text: bytes) -> Any:
    """Accept half a surrogate pair: servers that cut a name after some UTF-16 units send it.

    A number of more digits than Python reads counts as absent, as it must not cost the other rows.
    """
    try:
        parsed = json.loads(text.decode(), parse_int=lambda digits: int(digits) if len(digits) <= MAX_DIGITS else None)
        return from_json(json.dumps(parsed, ensure_ascii=False).encode(errors="replace"))
    except (ValueError, RecursionError):
        pass
    raise NotUnderstood("the response is not JSON")


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object of a body; an empty one for an empty body or null (contract row 18).

    Raises:
        NotUnderstood: it is something else.
    """
    value = read_json(body)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotUnderstood("the response is not a JSON object")
    return value


def as_text(value: object) -> str | None:
    """Text as sent, cut at 1,024 characters as it may be stored; a number as its digits; else None."""
    if isinstance(value, str):
        return value[:MAX_TEXT_LENGTH] or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_number(value: object) -> float | None:
    """A finite number, also one sent as text ("95.0", "40 %")."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= MAX_SAFE_INTEGER and math.isfinite(value) else None


def as_whole(value: object) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None


def as_flag(value: object) -> bool | None:
    """A truth value, also one sent as text or as 0 and 1."""
    word = str(value).strip().lower()
    if word in {"true", "1"}:
        return True
    return False if word in {"false", "0"} else None


_SENTENCE_FIELDS = ("message", "msg", "detail", "reason", "error", "errors", "title")


def as_sentence(value: object, *, depth: int = 3) -> str:
    """The message in a value: a text, or the text under a usual name for messages. Not masked yet.

    Other fields are not read: FastAPI repeats the request, including passwords, under `input` and `ctx`.
    """
    if isinstance(value, str):
        return value
    if depth == 0:
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (as_sentence(each, depth=depth - 1) for each in value[:5])))
    if isinstance(value, dict):
        return next(filter(None, (as_sentence(value.get(name), depth=depth - 1) for name in _SENTENCE_FIELDS)), "")
    return ""
