"""A demo that is kept: what it shows, docs/tutorial.md word by word in a shell beside it, and its end.

The tests share one demo, as the page begins where the demo has shown all; they run in this order. It runs on a cluster
of somebody's own, so that its end has something to take away; CI runs `make demo` too, which starts a control plane.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import devcluster
from tests.devcluster.support import descendants, none_lives, wait_until
from tests.kube.support import kubectl

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(console|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
AGE = re.compile(r"^(\d+[smhd])+$")
NUMBER = re.compile(r"\d+(\.\d+)?")
PATIENCE, LOOK = 120.0, 0.5
NAMES = ("carol", "google", "native", "outlook")  # carol was made as custom


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
        (self.kubeconfig,) = re.findall(r"export KUBECONFIG=(\S+)", started)
        (kubectl,) = re.findall(r"^  (\S+) get sender -n sales --watch$", started, re.MULTILINE)
        (emulator,) = re.findall(r"export KUBECONFIG=\S+ EMULATOR=(\S+)$", started, re.MULTILINE)
        (settings,) = re.findall(r"export (COLDSEND_.*)$", started, re.MULTILINE)
        folder = str(Path(kubectl).parent) if "/" in kubectl else ""
        self.exports: list[str] = []
        self.around = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")},
            "KUBECONFIG": self.kubeconfig,
            "EMULATOR": emulator,
            **dict(each.split("=", 1) for each in settings.split()),
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


@contextmanager
def demo(*arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], wanted: str) -> str:
    """What it printed up to the line with that text."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if wanted in line:
            return text
    raise AssertionError(f"it ended before it said {wanted!r}:\n{text}")


@dataclass(frozen=True)
class Kept:
    """A demo that has shown all and runs on; `text` is what it printed."""

    process: subprocess.Popen[str]
    text: str


@pytest.fixture(scope="module")
def somebodys() -> Iterator[devcluster.Cluster]:
    with devcluster.control_plane() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def around(somebodys: devcluster.Cluster) -> dict[str, str]:
    """What makes it the current cluster."""
    return {"CLUSTER": "current", "KUBECONFIG": str(somebodys.kubeconfig)}


@pytest.fixture(scope="module")
def kept(around: dict[str, str]) -> Iterator[Kept]:
    with demo("--keep", **around) as process:
        text = read_until(process, "metrics of the operator")
        assert process.stdout is not None
        threading.Thread(target=process.stdout.read, daemon=True).start()  # so that it never waits for a reader
        yield Kept(process, text)


def test_a_demo_shows_a_plan_its_inboxes_a_rename_and_a_held_wipe_and_runs_on(kept: Kept) -> None:
    assert kept.text.startswith("Using the current cluster, and starting the ColdSend emulator ...\n")
    assert "Plan: 254 to create." in kept.text
    for name in ("custom", *NAMES[1:]):
        assert re.search(rf"{name} .*True +Active", kept.text)
    assert re.search(r"254 inboxes are Ready after \d+ s and \d+ requests to ColdSend\.", kept.text)
    assert re.search(r"carol has the inbox of custom, \S+\. Nothing was written to ColdSend\.", kept.text)
    assert "Deletion is on hold: 250 inboxes" in kept.text
    assert "All 254 inboxes are still in ColdSend." in kept.text
    code, shown = Shell(kept.text).run("kubectl get sender -n sales -o name")
    assert code == 0
    assert {f"senderaccount.coldsend.pro/{name}" for name in NAMES} < set(shown.split())
    assert len(shown.split()) == len(NAMES) + 250  # the children of the batch, which are held


def test_the_tutorial_does_what_it_says(kept: Kept) -> None:
    first, *others = steps()
    assert first.command == "make demo KEEP=1"
    shell = Shell(kept.text)
    shown = [shell.run(f"kubectl get sender {where}")[1] for where in ("-A", "-n sales")]
    assert missing(first.shown, "\n".join([kept.text, *shown])) == []
    for step in others:
        if step.command.startswith("export EMULATOR="):
            continue  # what the demo has printed
        if step.command.startswith("export "):
            shell.exports.append(step.command)
        else:
            shell.play(step)


def test_at_its_end_the_demo_takes_away_what_it_put_into_the_cluster(kept: Kept, somebodys: devcluster.Cluster) -> None:
    kept.process.send_signal(signal.SIGINT)  # Ctrl-C, which is how a demo that is kept is meant to end
    assert kept.process.wait(PATIENCE) == 0
    names = kubectl(somebodys, "get", "crd,namespace,clusterrole", "-o", "name")
    assert "coldsend" not in names
    assert "namespace/sales" not in names
    assert not Path(Shell(kept.text).kubeconfig).parent.exists()


def test_a_demo_leaves_a_namespace_alone_that_was_there_before(
    kept: Kept, around: dict[str, str], somebodys: devcluster.Cluster
) -> None:
    kubectl(somebodys, "create", "namespace", "sales")
    with demo(**around) as process:
        text, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "the cluster already has a namespace sales" in text
    assert kubectl(somebodys, "get", "namespace", "sales", "-o", "name") == "namespace/sales\n"


def test_a_kill_leaves_nothing_of_a_demo_with_a_control_plane_of_its_own(tmp_path: Path) -> None:
    with demo("--keep", CLUSTER="", TMPDIR=str(tmp_path)) as process:
        text = read_until(process, "Plan: 254 to create.")
        assert text.startswith("Starting a control plane and the ColdSend emulator ...\n")
        started = descendants(process.pid)
        assert len(started) >= 6  # three programs of the control plane, their supervisor, emulator, operator
        process.kill()
        assert wait_until(lambda: none_lives(started))
    assert wait_until(lambda: not any(tmp_path.iterdir()))
