"""Shared by all stories: one API server, one ColdSend, one watch."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import devcluster
from coldsend_emulator.running import RunningEmulator, running_emulator
from tests.e2e.support.account_watch import AccountWatch, watching
from tests.e2e.support.api_server import ApiServer, api_server
from tests.e2e.support.operators import OperatorRun, running_operator

MARKER = "hush"  # stands in every password and every key, and must stand nowhere else
OWN_KEY = f"cs_live_{MARKER}_own"


@dataclass(frozen=True)
class World:
    cluster: devcluster.Cluster
    server: ApiServer
    emulator: RunningEmulator
    watch: AccountWatch
    folder: Path

    def operator(self, **settings: str) -> AbstractContextManager[OperatorRun]:
        """A ready operator with OWN_KEY of the emulator; `settings` by their full names."""
        ours = {"COLDSEND_API_URL": self.emulator.api_url, "COLDSEND_API_KEY": OWN_KEY}
        return running_operator(self.cluster.kubeconfig, self.folder, **{**ours, **settings})

    def search(self, namespace: str) -> None:
        """Search for the marker in what the operators wrote besides accounts, before the namespace is deleted."""
        for kind in ("Event", "ConfigMap"):
            shown = [str(each) for each in self.server.items(kind, namespace)]
            self.watch.leaks.extend(each for each in shown if MARKER in each)

    def leaks(self) -> list[str]:
        """Log lines and API objects that contain the marker of a secret."""
        logs = [
            f"{log.name}: {line}"
            for log in self.folder.glob("operator-*.log")
            for line in log.read_text(errors="replace").splitlines()
            if MARKER in line
        ]
        return logs + self.watch.leaks


@contextmanager
def opened_world(cluster: devcluster.Cluster, folder: Path) -> Iterator[World]:
    with (
        api_server(cluster) as server,
        running_emulator([OWN_KEY]) as emulator,
        watching(server, MARKER) as watch,
    ):
        yield World(cluster, server, emulator, watch, folder)
