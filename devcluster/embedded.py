"""A control plane of our own, kept by a supervisor of its own."""

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
    """Its end kills the components; an end of a component that nobody asked for is an error of the block."""
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
    """The supervisor's process, seen from the one who wants a control plane."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "devcluster.supervisor", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": _import_path()},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us; the supervisor follows when we let go of the socket
            )
        self._answers = self._connection.makefile("rb")
        self._failure = ""
        self._folder: Path | None = None

    def start(self, order: Order, kubectl: Path) -> Cluster:
        """Returns when the control plane serves."""
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
        """Returns what went wrong before, or an empty text."""
        with suppress(OSError):  # the other end may be closed already
            self._connection.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._failure = self._failure or self._answer().failure
        self._answers.close()
        self._connection.close()
        if self._folder is not None:
            remove_until_gone(self._folder)  # by the supervisor, unless it was killed
        return self._failure

    def _wait_for_end(self) -> None:
        self._failure = self._answer().failure

    def _answer(self) -> Answer:
        """The next answer; what the end of the supervisor means if there is none."""
        line = self._answers.readline()
        if line:
            return Answer.from_line(line)
        code = self._process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return Answer(failure=f"its supervisor ended with {how}" if code else "")


def _import_path() -> str:
    return os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
