"""What was measured, printed when all is done."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic


@dataclass
class Figures:
    rows: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, value: str) -> None:
        self.rows[what] = value

    def seconds(self, what: str, value: float) -> None:
        self.add(what, f"{value:.1f} s")

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        began = monotonic()
        yield
        self.seconds(what, monotonic() - began)

    def lines(self) -> list[str]:
        width = max(map(len, self.rows), default=0)
        return [f"{what:{width}}  {value}" for what, value in self.rows.items()]
