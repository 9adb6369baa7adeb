"""`make demo` as a newcomer sees it, and what it leaves behind: nothing."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster import control_plane
from tests.devcluster.support import descendants, none_lives, wait_until

ROOT = Path(__file__).parents[1]
NAMES = ("carol", "google", "native", "outlook")  # carol was made as custom
PATIENCE_SECONDS = 120


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


def test_a_demo_that_is_kept_runs_on_and_a_kill_leaves_nothing_of_it() -> None:
    with demo("--keep") as process:
        text = read_until(process, "metrics of the operator")
        assert "Plan: 254 to create." in text
        for name in ("custom", *NAMES[1:]):
            assert re.search(rf"{name} .*True +Active", text)
        assert re.search(r"254 inboxes are Ready after \d+ s and \d+ requests to ColdSend\.", text)
        assert re.search(r"carol has the inbox of custom, \S+\. Nothing was written to ColdSend\.", text)
        assert "Deletion is on hold: 250 inboxes" in text
        assert "All 254 inboxes are still in ColdSend." in text
        (kubeconfig,) = re.findall(r"export KUBECONFIG=(\S+)", text)
        (get_senders,) = re.findall(r"^  (\S+ get sender -n sales) --watch$", text, re.MULTILINE)
        command = [*get_senders.split(), "--kubeconfig", kubeconfig, "-o", "name"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert {f"senderaccount.coldsend.pro/{name}" for name in NAMES} < set(shown.split())
        assert len(shown.split()) == len(NAMES) + 250  # the children of the batch, which are held

        started = descendants(process.pid)
        assert len(started) >= 6  # three programs of the control plane, their supervisor, emulator, operator
        process.kill()
        assert wait_until(lambda: none_lives(started))
        assert not Path(kubeconfig).parent.exists()


def test_on_somebodys_own_cluster_the_demo_takes_away_what_it_put_there() -> None:
    with control_plane() as cluster:
        kubectl = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]
        around = {"CLUSTER": "current", "KUBECONFIG": str(cluster.kubeconfig)}
        with demo("--keep", **around) as process:
            read_until(process, "metrics of the operator")
            process.send_signal(signal.SIGINT)  # Ctrl-C, which is how a demo that is kept is meant to end
            text, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, text
        left = [*kubectl, "get", "crd,namespace,clusterrole", "-o", "name"]
        names = subprocess.run(left, capture_output=True, text=True, check=True).stdout
        assert "coldsend" not in names
        assert "namespace/sales" not in names

        subprocess.run([*kubectl, "create", "namespace", "sales"], check=True, capture_output=True)
        with demo(**around) as process:
            text, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 1
        assert "the cluster has a namespace sales already" in text
        assert subprocess.run([*kubectl, "get", "namespace", "sales"], check=False).returncode == 0
