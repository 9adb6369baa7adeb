"""A figure beside its goal."""

from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One line of the table. `count`: of requests or writes, which hardly depends on the machine."""

    name: str
    goal: str
    measured: str
    good: bool
    count: float | None = None


def figure(name: str, goal: str, measured: str, *, good: bool, count: float | None = None) -> Figure:
    return Figure(name, goal, measured, good, count)
