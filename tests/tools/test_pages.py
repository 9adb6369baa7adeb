"""The pages about commands show what the commands print: each `console` block is run and compared."""

import re
import shlex
import textwrap
from pathlib import Path

import pytest

from tests.tools.support import command

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGES = ("spreadsheet.md",)
BLOCK = re.compile(r'^( *)```(console|csv|yaml)(?: title="([^"]+)")?\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)
PROGRAM = "coldsend-operator"


def output_of(line: str) -> str:
    program, *arguments = shlex.split(line)
    if program == "cat":
        return "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
    assert program == PROGRAM
    return command(*arguments).output


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for _, kind, title, body in BLOCK.findall((HOW_TO / page).read_text(encoding="utf-8")):
        text = textwrap.dedent(body)
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif kind == "console":
            for part in text.split("$ ")[1:]:
                line, _, expected = part.partition("\n")
                assert output_of(line) == expected, line
                ran += 1
    assert ran
