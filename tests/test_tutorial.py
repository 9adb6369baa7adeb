"""docs/tutorial.md, word by word: its commands run in a shell beside the demo, and show what the page shows."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.test_demo import demo, read_until

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(console|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AGE = re.compile(r"^(\d+[smhd])+$")
NUMBER = re.compile(r"\d+(\.\d+)?")
PATIENCE, LOOK = 120.0, 0.5
LONG_ENOUGH = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Step:
    """A command of the page, and the lines that the page shows below it; none where it shows nothing."""

    command: str
    shown: tuple[str, ...]


def steps() -> Iterator[Step]:
    blocks = [(kind, text.rstrip("\n").splitlines()) for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8"))]
    for (kind, commands), (following, lines) in zip(blocks, [*blocks[1:], ("", [])], strict=True):
        if kind == "console":
            *before, last = commands
            yield from (Step(command, ()) for command in before)
            yield Step(last, tuple(lines) if following == "text" else ())


def missing(shown: tuple[str, ...], output: str) -> list[str]:
    """The lines of the page that the output lacks. Ages and spaces do not count; `...` is any text."""
    there = "\n".join(map(plain, output.splitlines()))
    return [line for line in shown if not re.search(f"^{pattern(line)}$", there, re.MULTILINE)]


def pattern(line: str) -> str:
    return re.escape(plain(line)).replace(re.escape("..."), ".*")


def plain(line: str) -> str:
    """A line without what differs from run to run. Of a sentence that tells of seconds every number may differ."""
    words = " ".join("AGE" if AGE.match(word) else word for word in line.split())
    return NUMBER.sub("N", words) if " s after " in words else words


class Shell:
    """The second terminal of the reader."""

    def __init__(self, started: str) -> None:
        (self._kubeconfig,) = re.findall(r"export KUBECONFIG=(\S+)", started)
        (kubectl,) = re.findall(r"^  (\S+) get sender -n sales --watch$", started, re.MULTILINE)
        (emulator,) = re.findall(r"(http://\S+)/_emulator/inboxes", started)
        folder = str(Path(kubectl).parent) if "/" in kubectl else ""
        self.exports: list[str] = []
        self.around = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")},
            "KUBECONFIG": self._kubeconfig,
            "EMULATOR": emulator,
            "PATH": os.pathsep.join(filter(None, (folder, os.environ["PATH"]))),
        }

    def run(self, command: str) -> tuple[int, str]:
        """Exit code, and all that the command prints."""
        ran = subprocess.run(
            ["/bin/bash", "-c", "\n".join([*self.exports, command])],
            cwd=ROOT,
            env=self.around,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def follow(self, step: Step) -> None:
        """A command that goes on until Ctrl-C."""
        process = subprocess.Popen(
            ["/bin/bash", "-c", "\n".join([*self.exports, f"exec {step.command}"])],
            cwd=ROOT,
            env=self.around,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        patience = threading.Timer(PATIENCE, process.kill)
        patience.start()
        output = ""
        for line in process.stdout:
            output += line
            if not missing(step.shown, output):
                break
        patience.cancel()
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert not missing(step.shown, output), output

    def play(self, step: Step) -> None:
        if step.command.endswith("--watch"):
            self.follow(step)
            return
        until = time.monotonic() + PATIENCE
        code, output = self.run(step.command)
        while missing(step.shown, output) and " get " in step.command and time.monotonic() < until:
            time.sleep(LOOK)
            code, output = self.run(step.command)
        assert missing(step.shown, output) == [], f"$ {step.command}\n{output}"
        told = step.shown or " plan " in step.command  # the exit code of plan tells what it found
        assert code == 0 or told, f"$ {step.command}\n{output}"


@LONG_ENOUGH
def test_the_tutorial_does_what_it_says() -> None:
    first, *others = steps()
    assert first.command == "make demo KEEP=1"
    with demo("--keep") as process:
        started = read_until(process, "metrics of the operator")
        assert process.stdout is not None
        threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits for a reader
        shell = Shell(started)
        shown = [shell.run(f"kubectl get sender {where}")[1] for where in ("-A", "-n sales")]
        assert missing(first.shown, "\n".join([started, *shown])) == []
        for step in others:
            if step.command.startswith("export EMULATOR="):
                continue  # what the demo has printed
            if step.command.startswith("export "):
                shell.exports.append(step.command)
            else:
                shell.play(step)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in {0, 128 + signal.SIGINT}
