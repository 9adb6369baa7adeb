"""Commands that only look send nothing but GETs, to the cluster and to ColdSend alike; seen over real HTTP."""

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coldsend_emulator.running import RunningEmulator
from coldsend_operator.kube.reviews import OTHER, SELF
from tests.tools.api_pages import api_server
from tests.tools.support import command, held

OURS = "/apis/coldsend.pro/v1alpha1/namespaces/sales"
POOL = {
    "metadata": {"name": "pool", "namespace": "sales", "uid": "uid-pool", "generation": 1},
    "spec": {"template": {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe"}, "inboxes": []},
}
PAGES: dict[str, Any] = {
    f"{OURS}/senderaccounts": {"metadata": {}, "items": [held("ann"), held("bob")]},
    f"{OURS}/senderaccounts/ann": held("ann"),
    f"{OURS}/senderaccountbatches": {"metadata": {}, "items": [POOL]},
    f"{OURS}/senderaccountbatches/pool": POOL,
    "/apis/coldsend.pro/v1alpha1/senderaccounts": {"metadata": {}, "items": [held("ann"), held("bob")]},
    "/api/v1/namespaces/sales": {"metadata": {"name": "sales"}},
    "/version": {"gitVersion": "v1.37.0"},
}
AS_A_PERSON = """
import signal
from coldsend_operator.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background of a script ignore it
main()
"""
READING = (
    ("plan",),
    ("plan", "--live"),
    ("status",),
    ("status", "ann", "-o", "json"),
    ("tree", "senderbatch/pool"),
    ("wait", "sender/ann", "--for", "deleted"),
    ("inventory", "--live"),
    ("export", "--unmanaged"),
    ("report-bundle", "-f", "report.zip"),
    ("doctor",),
)


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_command_that_only_reads_sends_nothing_but_gets(
    coldsend: RunningEmulator, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    written: list[str] = []
    with api_server(PAGES, tmp_path / "config", written) as asked:
        result = command(*arguments, "-n", "sales")
    assert result.exit_code in {0, 1, 3}, result.output
    assert asked
    assert {entry["method"] for entry in coldsend.requests()} <= {"GET"}
    questions = {SELF, OTHER} if arguments == ("doctor",) else set()  # who may do what is asked by a POST
    assert {line.partition(" ")[2] for line in written} <= questions


def test_status_draws_over_itself_until_ctrl_c(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    given = {"TERM": "xterm", "COLUMNS": "120", "PYTHONPATH": os.pathsep.join(sys.path)}
    environment = {"PATH": os.environ["PATH"], "KUBECONFIG": str(tmp_path / "config"), **given}
    arguments = [sys.executable, "-c", AS_A_PERSON, "status", "-n", "sales", "-w"]
    shown = b""
    with (
        api_server(PAGES, tmp_path / "config", []),
        subprocess.Popen(arguments, stdout=theirs, stderr=theirs, env=environment) as process,
    ):
        os.close(theirs)
        while shown.count(b"press Ctrl-C to end") < 2:
            shown += os.read(ours, 65_536)
        process.send_signal(signal.SIGINT)
        while select.select([ours], [], [])[0]:
            try:
                shown += os.read(ours, 65_536)
            except OSError:  # nobody has the terminal open any more
                break
    os.close(ours)
    live, _, after = shown.decode().rpartition("\x1b[?1049l")
    assert live.startswith("\x1b[?1049h")
    assert "operator's own" in after
    assert "Traceback" not in after
