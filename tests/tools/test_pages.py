"""The pages about commands show what the commands print; those that need a cluster are in tests/e2e/test_tools.py."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from coldsend_emulator.running import RunningEmulator
from tests.tools.pages import commands
from tests.tools.support import command, held

PAGES = ("spreadsheet.md", "adopt.md", "plan.md")
WORKSPACE: list[dict[str, Any]] = [
    {"inbox_type": kind, "email_address": address, "display_name": name, "daily_limit": 50}
    for kind, address, name in (
        ("GOOGLE_WORKSPACE", "ann@company.com", "Ann Arbor"),
        ("GOOGLE_WORKSPACE", "bob@company.com", "Bob Brown"),
        ("COLDSEND", "john@mail.company.com", "John Smith"),
    )
]


def output_of(line: str) -> str:
    program, *arguments = shlex.split(line)
    if program == "cat":
        return "".join(Path(name).read_text(encoding="utf-8") for name in arguments)
    assert program == "coldsend-operator"
    return command(*arguments).output


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(
    page: str, coldsend: RunningEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    coldsend.add_domain("mail.company.com")
    coldsend.seed(*WORKSPACE)
    objects = [held("ann", displayName="Ann", updatePolicy="Recreate"), held("bob", displayName="Bob Brown")]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sales"}}
    Path("snapshot.json").write_text(json.dumps({"kind": "List", "items": [*objects, space]}), encoding="utf-8")
    shown = [(line, expected, output_of(line)) for line, expected in commands(page)]
    assert shown
    for line, expected, printed in shown:
        assert printed == expected, line
