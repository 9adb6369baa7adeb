"""Candidates: calls that could leave, and which one goes first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from coldsend_operator.core.model.calls import Call
from coldsend_operator.core.workspace.workspace import Workspace

T = TypeVar("T")

MAX_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """A call that could leave from `ready_at` on. The smallest `score` goes first."""

    ready_at: float
    score: float
    call: Call


@dataclass(frozen=True, slots=True)
class Alone:
    """Plans account by account: a fault costs that account alone (rule 38)."""

    faults: dict[str, Exception] = field(default_factory=dict)  # by UID

    def each(self, uids: Iterable[str], make: Callable[[str], T]) -> list[T]:
        """The results of `make` for each of them."""
        made = []
        for uid in uids:
            try:
                made.append(make(uid))
            except Exception as fault:  # noqa: BLE001 - whatever it is, the others go on
                self.faults[uid] = fault
        return made

    def those(self, uids: Iterable[str], good: Callable[[str], bool]) -> list[str]:
        """Those for which `good` is true."""
        return [uid for uid, found in self.each(uids, lambda uid: (uid, good(uid))) if found]


def in_turn(workspace: Workspace, uids: Iterable[str], without: frozenset[str]) -> tuple[str, ...]:
    """Those whose namespaces have a turn."""
    return tuple(uid for uid in uids if workspace.accounts[uid].desired.namespace not in without)


def by_deadline(workspace: Workspace, ready_at: float, call: Call) -> Candidate:
    """Earliest deadline first. A lane, or a key, that was just served goes behind the others, so that none starves."""
    served_at = workspace.queues.last_served.get((call.lane, call.group, call.key), 0.0)
    return Candidate(ready_at, max(ready_at, served_at) + call.lane.may_wait, call)
