"""An embedded control plane, run by a supervisor process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError
from devcluster.messages import Answer, Order
from devcluster.paths import CHECKOUT
from devcluster.programs import find_kubectl, find_programs
from devcluster.run_folder import RunFolder, remove_until_gone

_STOP_SECONDS = 20.0


@contextmanager
def embedded_cluster(root: Path | None, *, audit: bool, controllers: bool) -> Iterator[Cluster]:
    """A control plane that is killed at the end of the block. Raises DevclusterError if a component ended before."""
    order = Order(find_programs(controllers=controllers), root and root.absolute(), audit, os.getpid())
    kubectl = find_kubectl()
    supervisor = _Supervisor()
    try:
        yield supervisor.start(order, kubectl)
    except BaseException as error:
        failure = supervisor.stop()
        if failure and failure not in str(error):
            error.add_note(f"The control plane had ended: {failure}")
        raise
    failure = supervisor.stop()
    if failure:
        raise DevclusterError(failure)


class _Supervisor:
    """The supervisor process, as its parent sees it."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "devcluster.supervisor", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": _import_path()},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # no Ctrl-C: the supervisor ends when we close the socket
            )
        self._answers = self._connection.makefile("rb")
        self._failure = ""
        self._folder: Path | None = None

    def start(self, order: Order, kubectl: Path) -> Cluster:
        """Start the control plane; returns when it serves."""
        self._connection.sendall(order.to_line())
        answer = self._answer()
        if answer.failure:
            self._failure = answer.failure
            raise DevclusterError(answer.failure)
        self._folder = Path(answer.folder)
        folder = RunFolder(self._folder)
        return Cluster(
            kubeconfig=folder.kubeconfig,
            kubectl=kubectl,
            url=answer.url,
            ca_file=folder.ca,
            admin_token=answer.admin_token,
            audit_log=folder.audit_log if order.audit else None,
            log_dir=folder.logs,
            folder=folder.path,
            pids={**(answer.pids or {}), "supervisor": self._process.pid},
            wait_for_end=self._wait_for_end,
        )

    def stop(self) -> str:
        """Stop the control plane; returns its failure, or an empty text."""
        with suppress(OSError):  # the supervisor may have closed its end
            self._connection.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._failure = self._failure or self._answer().failure
        self._answers.close()
        self._connection.close()
        if self._folder is not None:
            remove_until_gone(self._folder)  # the supervisor does this, unless it was killed
        return self._failure

    def _wait_for_end(self) -> None:
        self._failure = self._answer().failure

    def _answer(self) -> Answer:
        """The next answer; if there is none, how the supervisor ended."""
        line = self._answers.readline()
        if line:
            return Answer.from_line(line)
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Answer(failure=f"its supervisor ended with {how}" if code else "")


def _import_path() -> str:
    return os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
