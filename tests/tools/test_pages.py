"""The pages about commands show what the commands print: each `console` block is run and compared."""

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest

from coldsend_emulator.running import RunningEmulator
from tests.tools.support import command

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGES = ("spreadsheet.md", "adopt.md")
BLOCK = re.compile(r'^( *)```(console|csv|yaml)(?: title="([^"]+)")?\n(.*?)^\1```$', re.MULTILINE | re.DOTALL)
WORKSPACE: list[dict[str, Any]] = [
    {"inbox_type": kind, "email_address": address, "display_name": name, "daily_limit": 50}
    for kind, address, name in (
        ("GOOGLE_WORKSPACE", "ann@company.com", "Ann Arbor"),
        ("GOOGLE_WORKSPACE", "bob@company.com", "Bob Brown"),
        ("COLDSEND", "john@mail.company.com", "John Smith"),
    )
]
PROGRAM = "coldsend-operator"


def output_of(line: str) -> str:
    program, *arguments = shlex.split(line)
    if program == "cat":
        return "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
    assert program == PROGRAM
    return command(*arguments).output


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(
    page: str, coldsend: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    coldsend.add_domain("mail.company.com")
    coldsend.seed(*WORKSPACE)
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
