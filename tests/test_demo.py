"""`make demo` on a cluster of somebody's own; test_tutorial.py tells what one that is kept shows."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster import control_plane

ROOT = Path(__file__).parents[1]
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


def test_on_somebodys_own_cluster_the_demo_takes_away_what_it_put_there() -> None:
    with control_plane() as cluster:
        kubectl = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]
        around = {"CLUSTER": "current", "KUBECONFIG": str(cluster.kubeconfig)}
        with demo("--keep", **around) as process:
            shown = read_until(process, "metrics of the operator")
            assert shown.startswith("Using the current cluster, and starting the ColdSend emulator ...\n")
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
        assert "the cluster already has a namespace sales" in text
        assert subprocess.run([*kubectl, "get", "namespace", "sales"], check=False).returncode == 0
