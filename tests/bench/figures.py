"""A figure beside its goal."""

from collections.abc import Callable
from dataclasses import dataclass

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    name: str
    goal: str
    measured: str
    good: bool


def figure(name: str, goal: str, measured: str, *, good: bool) -> Figure:
    return Figure(name, goal, measured, good)
