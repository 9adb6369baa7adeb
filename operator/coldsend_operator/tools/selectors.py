"""Label selectors as kubectl takes them."""

import re
from collections.abc import Mapping

from coldsend_operator.tools.errors import UsageError

_TERM = re.compile(r"(?P<not>!)?(?P<label>[A-Za-z0-9./_-]+)(?:\s*(?P<op>==|=|!=)\s*(?P<value>[A-Za-z0-9._-]*))?")
_SET = re.compile(r"(?P<label>[A-Za-z0-9./_-]+)\s+(?P<op>in|notin)\s+\((?P<values>[^)]*)\)")


class Selector:
    """A label selector as kubectl takes it."""

    def __init__(self, text: str) -> None:
        self._terms = [self._term(part.strip(), text) for part in re.split(r",(?![^(]*\))", text)]

    def __call__(self, labels: Mapping[str, str]) -> bool:
        return all(
            (label in labels if values is None else labels.get(label) in values) is wanted
            for label, values, wanted in self._terms
        )

    @staticmethod
    def _term(part: str, text: str) -> tuple[str, frozenset[str] | None, bool]:
        """Label, values (None: any), and whether the label must have one of them."""
        if found := _SET.fullmatch(part):
            values = frozenset(value.strip() for value in found["values"].split(","))
            return found["label"], values, found["op"] == "in"
        found = _TERM.fullmatch(part)
        if found is None or (found["not"] and found["op"]):
            raise UsageError(f"-l {text}: not a label selector; give one such as app=pool,stage!=test")
        if found["op"] is None:
            return found["label"], None, not found["not"]
        return found["label"], frozenset({found["value"]}), found["op"] != "!="
