"""The records of the deletion brake: deletions asked for and sent, and their Batches."""

from dataclasses import dataclass


@dataclass(slots=True)
class LeftDeletion:
    """Deletes that were sent, and what workspace and namespace managed then (None: of an earlier run)."""

    at: float
    namespace: str
    count: int
    managed: int
    own: int | None = None
    batch: str | None = None


@dataclass(slots=True)
class Asked:
    """An inbox that waits for its deletion."""

    namespace: str
    asked_at: float
    approved: bool
    batch: str | None
    known_at: float | None = None
    held_at: float = 0.0


@dataclass(slots=True)
class Called:
    """A delete that was sent: a second try is no second deletion."""

    asked_at: float
    at: float
    batch: str | None
    approved: bool = False
    gone: bool = False


@dataclass(slots=True)
class Whole:
    """The deletions of one Batch. `size` is as announced, `count` all of the window, `let` those that may leave."""

    size: int = 0
    count: int = 0
    let: int = 0
    let_at: float = 0.0
