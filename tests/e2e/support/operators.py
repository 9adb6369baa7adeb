"""The operator as a separate process: started, queried, stopped, killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

from demo.operator_run import free_port

START_SECONDS = 60.0
STOP_SECONDS = 30.0
QUICK = {
    "COLDSEND_SWEEP_SECONDS": "1",
    "COLDSEND_POLL_SECONDS": "0.2",
    "COLDSEND_SECRET_CHECK_SECONDS": "1",
    "COLDSEND_LOST_CALL_SECONDS": "3",
    "COLDSEND_COUNTER_SECONDS": "0",
    "COLDSEND_REQUESTS_PER_MINUTE": "1000000",
    "COLDSEND_REQUESTS_PER_HOUR": "60000000",
    "COLDSEND_LOG_LEVEL": "debug",
}
"""Settings with which a story takes seconds: the shortest waits, and an ample budget."""

# One client for all probes: to make one loads the CAs of the machine, which takes 20 ms of CPU. Each request has a
# connection of its own, as the operator that took the last one may have been killed.
_HTTP = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


@dataclass
class OperatorRun:
    """A started operator that ends with this process, even if this process is killed."""

    process: subprocess.Popen[bytes]
    log: Path
    metrics_url: str
    probes_url: str

    def kill(self) -> None:
        """SIGKILL: the operator finishes and records nothing."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, as Kubernetes stops a pod. Returns the exit code."""
        if self.process.stdin:
            self.process.stdin.close()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as failure:
            failure.add_note("\n".join(["the last lines of its log:", *self.lines().splitlines()[-40:]]))
            raise

    def pause(self) -> None:
        """SIGSTOP, as on a suspended or overloaded machine."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def wait_until_ready(self) -> None:
        """Wait until the caches are filled."""
        until = time.monotonic() + START_SECONDS
        while self.probe("readyz") != 200:
            assert self.process.poll() is None, f"the operator has ended:\n{self.lines()}"
            assert time.monotonic() < until, f"the operator is not ready:\n{self.lines()}"
            time.sleep(0.05)

    def probe(self, name: str) -> int | None:
        """The status code of a probe; None without a response."""
        try:
            return _HTTP.get(f"{self.probes_url}/{name}", timeout=10).status_code
        except httpx.TransportError:
            return None

    def metrics(self) -> str:
        return _HTTP.get(f"{self.metrics_url}/metrics").text

    def figure(self, name: str, **labels: str) -> float:
        """The sum of the series of a metric with these labels."""
        series = re.compile(rf"^{name}(\{{(.*)\}})? (\S+)$", re.MULTILINE)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = series.findall(self.metrics())
        return sum(float(value) for _, given, value in found if all(each in given for each in wanted))

    def leads(self) -> bool:
        """Whether it is the leader and works; False if it does not answer."""
        return self.probe("readyz") == 200 and self.figure("coldsend_leader") == 1

    def lines(self) -> str:
        return self.log.read_text(errors="replace")

    def errors(self) -> list[str]:
        return [line for line in self.lines().splitlines() if '"level": "error"' in line]

    @contextmanager
    def heard(self, namespace: str) -> Iterator[None]:
        """A failure within the block shows the last log lines of the operator about the namespace."""
        try:
            yield
        except BaseException as failure:
            lines = [line for line in self.lines().splitlines() if namespace in line]
            failure.add_note("\n".join(["the log of the operator:", *lines[-40:]]))
            raise


@contextmanager
def running_operator(kubeconfig: Path, folder: Path, **settings: str) -> Iterator[OperatorRun]:
    """As `started_operator`; it is ready when the block begins."""
    with started_operator(kubeconfig, folder, **settings) as operator:
        operator.wait_until_ready()
        yield operator


@contextmanager
def started_operator(kubeconfig: Path, folder: Path, **settings: str) -> Iterator[OperatorRun]:
    """Run the operator until the block ends, with QUICK settings and these, by their full names."""
    metrics, probes = (f"127.0.0.1:{free_port()}" for _ in range(2))
    around = {name: value for name, value in os.environ.items() if not name.startswith("COLDSEND_")}
    addresses = {"COLDSEND_METRICS_ADDRESS": metrics, "COLDSEND_PROBES_ADDRESS": probes}
    log = folder / f"operator-{uuid4().hex[:8]}.log"
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.end_with_parent", sys.executable, "-m", "coldsend_operator", "run"],
            env={**around, **QUICK, **addresses, **settings, "KUBECONFIG": str(kubeconfig)},
            stdin=subprocess.PIPE,
            stdout=lines,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a group of its own, which `kill` ends as a whole
        )
    operator = OperatorRun(process, log, f"http://{metrics}", f"http://{probes}")
    try:
        yield operator
    finally:
        if process.poll() is None:
            operator.resume()
            operator.stop()
