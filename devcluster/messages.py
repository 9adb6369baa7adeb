"""The messages between the supervisor and its parent: one line of JSON each."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from devcluster.programs import Programs


@dataclass(frozen=True)
class Order:
    programs: Programs
    root: Path | None
    audit: bool
    parent: int

    def to_line(self) -> bytes:
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        order = json.loads(line)
        programs = Programs(**{name: path and Path(path) for name, path in order["programs"].items()})
        return cls(programs, Path(order["root"]) if order["root"] else None, order["audit"], order["parent"])


@dataclass(frozen=True)
class Answer:
    """Either `failure`, a message for people, or all other fields."""

    failure: str = ""
    folder: str = ""
    url: str = ""
    admin_token: str = ""
    pids: dict[str, int] | None = None

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        return cls(**json.loads(line))
