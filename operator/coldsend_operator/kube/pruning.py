"""Fields of status that the API server drops, as its CRD is older than the operator (rule 35)."""

from collections.abc import Iterator, Mapping
from typing import Any

from coldsend_operator.kube.paths import PLURALS, Kind
from coldsend_operator.logs import Event, Recurring
from coldsend_operator.resources.names import GROUP, INSTALL_CRDS

Path = tuple[str, ...]


class Pruning:
    """Learns dropped fields from the API server's responses, reports each once, and stops writing them."""

    def __init__(self) -> None:
        self._lost: dict[Kind, set[Path]] = {kind: set() for kind in PLURALS}
        self._said = {kind: Recurring(Event.CRD_OUTDATED, crd=f"{plural}.{GROUP}") for kind, plural in PLURALS.items()}

    def learn(self, kind: Kind, sent: Mapping[str, Any], answered: Mapping[str, Any]) -> None:
        """`sent` are the fields of status just written, `answered` is the status that the API server stored."""
        dropped = set(_missing(sent, answered)) - self._lost[kind]
        if dropped:
            self._lost[kind] |= dropped
            self._said[kind].failed(_text(self.lost(kind)))

    def without(self, kind: Kind, status: dict[str, Any]) -> dict[str, Any]:
        """The status without the dropped fields."""
        return _without(status, self._lost[kind]) if self._lost[kind] else status

    def lost(self, kind: Kind) -> tuple[str, ...]:
        """Names of fields, such as `lastApplied` and `testEmail.startedAt`."""
        return tuple(sorted(".".join(path) for path in self._lost[kind]))

    @property
    def outdated(self) -> bool:
        return any(self._lost.values())

    def clear(self) -> None:
        """The CRD changed: learn again which fields it keeps."""
        for kind, said in self._said.items():
            said.ended()
            self._lost[kind].clear()


def _missing(sent: Mapping[str, Any], answered: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    for key, value in sent.items():
        path = (*above, key)
        if value is None:
            continue
        if key not in answered:
            yield path
        elif isinstance(value, Mapping) and isinstance(answered[key], Mapping):
            yield from _missing(value, answered[key], path)


def _without(status: Mapping[str, Any], lost: set[Path], above: Path = ()) -> dict[str, Any]:
    kept = {key: value for key, value in status.items() if (*above, key) not in lost}
    return {
        key: _without(value, lost, (*above, key)) if isinstance(value, Mapping) else value
        for key, value in kept.items()
    }


def _text(lost: tuple[str, ...]) -> str:
    fields = ", ".join(f"status.{name}" for name in lost)
    return (
        f"The CRD is older than the operator: the API server drops {fields}. Test mails, adoptions and recreations "
        f"that need them wait. To upgrade: {INSTALL_CRDS}"
    )
