"""Generates files of the chart: `python charts/document.py [--check]` (`make chart`).

README.md contains a table of the comments in values.yaml, and files/crds is a copy of crds/.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "coldsend-operator"
CRDS = Path(__file__).parents[1] / "crds"
_KEY = re.compile(r"^( *)([A-Za-z]\w*):")


@dataclass(frozen=True)
class Value:
    """One value of the chart.

    Attributes:
        path: its keys, joined with dots.
        default: its value in values.yaml.
        meaning: its comment.
    """

    path: str
    default: Any
    meaning: str


def chart_values() -> Iterator[Value]:
    """Every value that has a comment `# -- ...`, in the order of the file."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    defaults = yaml.safe_load(text)
    above: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        said = line.strip().removeprefix("# ")
        if line.lstrip().startswith("# -- "):
            comment = [said.removeprefix("-- ")]
        elif comment and line.lstrip().startswith("# "):
            comment.append(said)
        elif key := _KEY.match(line):
            above = [*above[: len(key[1]) // 2], key[2]]
            if comment:
                yield Value(".".join(above), _at(defaults, above), " ".join(comment))
            comment = []


def files() -> dict[Path, str]:
    """The content of each generated file."""
    made = {CHART / "files" / "crds" / path.name: path.read_text(encoding="utf-8") for path in CRDS.glob("*.yaml")}
    return made | {CHART / "README.md": _readme()}


def main(arguments: list[str]) -> int:
    stale = [path for path, text in files().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    stale += [path for path in (CHART / "files" / "crds").iterdir() if path not in files()]
    if arguments == ["--check"]:
        for path in stale:
            sys.stderr.write(f"{path.relative_to(CHART.parents[1])} is not up to date; run `make chart`\n")
        return 1 if stale else 0
    for path in stale:
        path.unlink(missing_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


def _at(defaults: Any, keys: list[str]) -> Any:
    for key in keys:
        defaults = defaults[key]
    return defaults


def _readme() -> str:
    rows = "".join(f"| `{each.path}` | {_shown(each.default)} | {each.meaning} |\n" for each in chart_values())
    return (CHART / "README.md.in").read_text(encoding="utf-8").replace("@VALUES@\n", rows)


def _shown(default: Any) -> str:
    return f"`{json.dumps(default)}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
