"""What is drawn on a terminal, and that nothing of it goes anywhere else."""

import os
import pty
import subprocess
import sys

import pytest

from coldsend_operator.tools.output import remark, write_lines, write_styled, write_table

PROGRESS = """
from coldsend_operator.tools.terminal import Progress
now = [0.0]
with Progress("pages of the list", clock=lambda: now[0]) as progress:
    for done in range(11):
        progress.show(done, 10)
        now[0] += SECONDS
"""
VIEW = """
import sys
from coldsend_operator.tools.output import write_table
from coldsend_operator.tools.terminal import LiveView
with LiveView() as view:
    for number in range(3):
        view.draw(lambda: write_table(("A", "B"), [("value", str(number))], "auto"), f"head {number}")
"""
TABLE = """
from coldsend_operator.tools.output import write_table
WIDE = "日本語 " * 9
write_table(("ACTION", "WHY"), [("create", "one two three four five six seven eight nine"), ("hold", WIDE)], "auto")
"""


def on_a_terminal(script: str, **variables: str) -> str:
    """What the script sends to its terminal, as standard output and standard error."""
    ours, theirs = pty.openpty()
    environment = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "COLUMNS": "80",
        **variables,
    }
    with subprocess.Popen([sys.executable, "-c", script], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65_536)
            except OSError:  # so Linux says that nobody has the terminal open any more
                break
            if not part:
                break
            parts.append(part)
        os.close(ours)
    assert process.returncode == 0
    return b"".join(parts).decode()


def elsewhere(script: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)


def test_progress_shows_how_much_of_how_much_after_two_seconds() -> None:
    shown = on_a_terminal(PROGRESS.replace("SECONDS", "1.0"))
    assert "pages of the list" in shown
    assert "/10" in shown
    assert on_a_terminal(PROGRESS.replace("SECONDS", "0.1")) == ""


def test_progress_is_for_a_terminal_alone() -> None:
    run = elsewhere(PROGRESS.replace("SECONDS", "1.0"))
    assert (run.stdout, run.stderr) == ("", "")


def test_a_live_view_draws_over_itself_and_leaves_its_last_state_behind() -> None:
    shown = on_a_terminal(VIEW)
    live, _, after = shown.rpartition("\x1b[?1049l")
    assert live.startswith("\x1b[?1049h")
    assert all(f"head {number}" in live for number in range(3))
    assert "\x1b[2J" not in live  # a cleared screen flickers
    assert [line.split() for line in after.replace("\x1b[?25h", "").splitlines()[-2:]][1] == ["value", "2"]
    assert "head" not in after


def test_elsewhere_one_view_follows_the_other() -> None:
    assert elsewhere(VIEW).stdout == "".join(f"A      B\nvalue  {number}\n" for number in range(3))


def test_the_last_column_of_a_table_is_folded_between_words_on_a_terminal() -> None:
    assert on_a_terminal(TABLE, COLUMNS="48", NO_COLOR="1").splitlines() == [
        "ACTION  WHY",
        "create  one two three four five six seven eight",
        "        nine",
        "hold    日本語 日本語 日本語 日本語 日本語",
        "        日本語 日本語 日本語 日本語",
    ]


def test_on_a_narrow_terminal_no_column_is_cut() -> None:
    assert on_a_terminal(TABLE, COLUMNS="10", NO_COLOR="1") == on_a_terminal(TABLE, COLUMNS="48", NO_COLOR="1")


def test_elsewhere_nothing_is_folded() -> None:
    assert elsewhere(TABLE).stdout.splitlines()[1] == "create  one two three four five six seven eight nine"


def test_no_color_counts_when_it_is_not_empty() -> None:
    assert "\x1b" not in on_a_terminal(TABLE, NO_COLOR="1")
    assert "\x1b[32mcreate" in on_a_terminal(TABLE, NO_COLOR="")


def test_a_terminal_without_colors_gets_none() -> None:
    assert "\x1b" not in on_a_terminal(TABLE, TERM="dumb")


def test_control_characters_in_a_message_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    message = "550\x1b[2J no\r\nsuch \x9b31m user"
    write_table(("WHY",), [(message,)], "never")
    write_lines([message])
    write_styled([(message, "green")], "always")
    remark(message)
    out, err = capsys.readouterr()
    shown = "550\\x1b[2J no  such \\x9b31m user"
    assert out == f"WHY\n{shown}\n{shown}\n\x1b[32m5\x1b[0m{shown[1:]}\n"
    assert err == f"{shown}\n"
