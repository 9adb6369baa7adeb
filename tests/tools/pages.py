"""The commands that a page of docs/how-to shows, each with the output that it shows."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
BLOCK = re.compile(r'^( *)```(console|csv|yaml)(?: title="([^"]+)")?\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)


def commands(page: str) -> Iterator[tuple[str, str]]:
    """Each command line and its output, in order; a file that the page gives a name is written before."""
    for _, kind, title, body in BLOCK.findall((HOW_TO / page).read_text(encoding="utf-8")):
        text = textwrap.dedent(body)
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif kind == "console" and text.startswith("$ "):
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                line, _, expected = part.partition("\n")
                yield line, expected
