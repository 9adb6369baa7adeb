"""Operators behind gates of their own, to be killed and restarted."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import yaml

from coldsend_emulator.operations import BASE_PATH
from tests.e2e.support.gate import Gate, gate
from tests.e2e.support.operators import OperatorRun, started_operator
from tests.e2e.support.tenant import Tenant, opened_tenant
from tests.e2e.support.world import World

LABEL = "played-by"


@dataclass
class GatedOperators:
    """`labels` make objects those of these operators; their Lease and state are in the namespace `home`."""

    world: World
    kubernetes: Gate
    coldsend: Gate
    labels: dict[str, str]
    home: str

    @contextmanager
    def operator(self, **settings: str) -> Iterator[OperatorRun]:
        with self.start(**settings) as operator:
            operator.wait_until_ready()
            yield operator

    def start(self, **settings: str) -> AbstractContextManager[OperatorRun]:
        """Start one, without waiting until it is ready."""
        ours = {
            "COLDSEND_API_URL": self.coldsend.url + BASE_PATH,
            "COLDSEND_LABEL_SELECTOR": f"{LABEL}={self.labels[LABEL]}",
            "COLDSEND_LEASE_NAMESPACE": self.home,
        }
        return started_operator(self._kubeconfig(), self.world.folder, **{**ours, **settings})

    def opened_tenant(self, title: str) -> AbstractContextManager[Tenant]:
        return opened_tenant(self.world, title, self.labels)

    def _kubeconfig(self) -> Path:
        path = self.world.folder / f"kubeconfig-{self.labels[LABEL]}-{urlsplit(self.kubernetes.url).port}"
        entry: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "gate",
            "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "nobody"}}],
            "clusters": [{"name": "gate", "cluster": {"server": self.kubernetes.url}}],
            "users": [{"name": "nobody", "user": {"token": "not-needed"}}],  # kubectl proxy logs in
        }
        path.write_text(yaml.safe_dump(entry))
        return path


@contextmanager
def gated_operators(world: World, title: str) -> Iterator[tuple[GatedOperators, Tenant]]:
    """Operators to start, and their first tenant, which is also their home."""
    labels = {LABEL: uuid4().hex[:8]}
    with (
        gate(world.server.url) as kubernetes,
        gate(world.emulator.url) as coldsend,
        opened_tenant(world, title, labels) as tenant,
    ):
        yield GatedOperators(world, kubernetes, coldsend, labels, tenant.namespace), tenant
