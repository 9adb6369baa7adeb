"""Runs kubectl."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster import Cluster


class KubectlError(Exception):
    """kubectl failed; the text is its message."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl for one cluster."""

    cluster: Cluster

    @property
    def outlives_us(self) -> bool:
        """Whether the cluster outlives the demo, which then must clean up."""
        return not self.cluster.pids

    def __call__(self, *arguments: str | Path, given: str | None = None) -> str:
        """Run kubectl and return its output; `given` is its standard input."""
        command = [str(self.cluster.kubectl), "--kubeconfig", str(self.cluster.kubeconfig), *map(str, arguments)]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip() or f"kubectl ended with exit code {done.returncode}")
        return done.stdout

    def exists(self, *arguments: str) -> bool:
        return bool(self("get", "--ignore-not-found", "--output=name", *arguments).strip())

    def items(self, *arguments: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("get", "--output=json", *arguments))["items"]
        return found
