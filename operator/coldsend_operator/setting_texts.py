"""How people meet a setting: its variable and flag, its allowed values and its default in words, a wrong value."""

import re
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from coldsend_operator.setting_values import KEY_PATTERN
from coldsend_operator.spellings import MASK

PREFIX = "COLDSEND_"


@dataclass(frozen=True, slots=True)
class Allowed:
    """The allowed values of a setting in words, if the bounds of a number do not tell."""

    words: str


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a setting."""

    name: str


def variable(field: str) -> str:
    return PREFIX + field.upper()


def flag(field: str) -> str | None:
    """The flag of `run` for this setting; None for the API key."""
    return None if field == "api_key" else "--" + field.replace("_", "-")


def unit(field: FieldInfo) -> str:
    return next((entry.name for entry in field.metadata if isinstance(entry, Unit)), "")


def allowed(field: FieldInfo) -> str:
    """The allowed values of the field in words."""
    words = next((entry.words for entry in field.metadata if isinstance(entry, Allowed)), None)
    if words is not None:
        return words
    low = next((entry.ge for entry in field.metadata if hasattr(entry, "ge")), None)
    high = next((entry.le for entry in field.metadata if hasattr(entry, "le")), None)
    kind = "a whole number" if field.annotation is int else "a number"
    return kind if low is None else f"{kind} from {low} to {high}"


def default_text(field: FieldInfo) -> str:
    """The default of the field as a value of the variable."""
    extra = field.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    value = field.default
    if value is None or value in {"", ()}:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def shown(value: object) -> str:
    """An invalid value for display on one line: short, without line breaks, credentials and keys."""
    text = KEY_PATTERN.sub(MASK, re.sub(r"//[^/@\s]*@", f"//{MASK}@", str(value)))
    text = text if text.isprintable() and text else repr(text)
    return text if len(text) <= 80 else text[:80] + "..."
