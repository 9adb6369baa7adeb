"""A real Prometheus that scrapes real operators and evaluates the alerts of the chart."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.e2e.support.tenant import eventually
from tests.monitoring.promtool import ALERTS

JOB, NAMESPACE = "coldsend-operator", "coldsend"
_LISTENING = re.compile(r'msg="Listening on".* address=(\S+)')


class PrometheusError(Exception):
    """It did not start, or refused a query."""


@dataclass(frozen=True)
class Prometheus:
    """`begun` is when it started, in Unix seconds."""

    http: httpx.Client
    begun: float

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query finds."""
        found: list[dict[str, Any]] = self._ask("query", query=expression)["result"]
        return found

    def range(self, expression: str) -> list[dict[str, Any]]:
        """The series that a query finds between the start and now."""
        span = {"start": f"{self.begun}", "end": f"{time.time()}", "step": "1"}
        found: list[dict[str, Any]] = self._ask("query_range", query=expression, **span)["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The sum of what a query finds now; None when it finds nothing."""
        found = self.query(expression)
        return sum(float(each["value"][1]) for each in found) if found else None

    def series(self, matcher: str) -> list[dict[str, str]]:
        """The labels of every series since the start."""
        found: list[dict[str, str]] = self._ask("series", **{"match[]": matcher})
        return found

    def rules(self) -> dict[str, dict[str, Any]]:
        """What became of the alerts, by their names."""
        return {rule["name"]: rule for group in self._ask("rules")["groups"] for rule in group["rules"]}

    def alerts(self, name: str) -> list[dict[str, str]]:
        """Labels of the alerts of this name that are pending or fire."""
        return [each["labels"] for each in self.rules()[name]["alerts"]]

    def parse(self, expression: str) -> dict[str, Any]:
        """The syntax tree of a query."""
        tree: dict[str, Any] = self._ask("parse_query", query=expression)
        return tree

    def _ask(self, path: str, **parameters: str) -> Any:
        answer = self.http.get(f"api/v1/{path}", params=parameters)
        if answer.is_error:
            raise PrometheusError(f"{path} {parameters}: {answer.text}")
        return answer.json()["data"]


@contextmanager
def running_prometheus(program: Path, folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Run it until the block ends. It gives its targets the labels that a ServiceMonitor of the chart would."""
    config, log = folder / "prometheus.yaml", folder / "prometheus.log"
    config.write_text(yaml.safe_dump(_config(targets)), encoding="utf-8")
    command = [str(program), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += ["--web.listen-address=127.0.0.1:0", "--log.level=info"]
    begun = time.time()
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo.end_with_parent", *command],
            stdin=subprocess.PIPE,
            stdout=lines,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://{_address(process, log)}", timeout=30, trust_env=False) as http:
            eventually(lambda: http.get("/-/ready").is_success, "a Prometheus that is ready")
            yield Prometheus(http, begun)
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


def _config(targets: Sequence[str]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [
            {
                "job_name": JOB,
                "honor_labels": True,
                "static_configs": [{"targets": list(targets), "labels": {"namespace": NAMESPACE}}],
            }
        ],
    }


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Where it listens: it takes a free port and says which."""

    def said() -> re.Match[str] | None:
        if process.poll() is not None:
            raise PrometheusError(f"it has ended:\n{log.read_text(errors='replace')}")
        return _LISTENING.search(log.read_text(errors="replace"))

    eventually(said, "the address of Prometheus")
    found = said()
    assert found is not None
    return found[1]
