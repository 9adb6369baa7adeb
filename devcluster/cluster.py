"""What callers hold in their hands while a control plane is there for them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import kubeconfig


@dataclass(frozen=True)
class Cluster:
    """A control plane that serves.

    Attributes:
        kubeconfig: of the administrator; holds all it needs, so it may be copied.
        kubectl: a kubectl that fits.
        url: of the API server.
        ca_file: what its certificate is checked against.
        admin_token: bearer token of the administrator; None for a current cluster that logs in otherwise.
        audit_log: a line of JSON for each request (level Metadata), written before the answer leaves; None if not
            asked for, and for a current cluster.
        log_dir: a log for each component; empty for a current cluster.
        folder: private to this run and removed with it; callers may put files there.
        pids: of each component and of the supervisor; empty for a current cluster.
        wait_for_end: returns when a component has ended, which none does unasked; the `with` block then raises why.
    """

    kubeconfig: Path
    kubectl: Path
    url: str
    ca_file: Path
    admin_token: str | None = field(repr=False)
    audit_log: Path | None
    log_dir: Path
    folder: Path
    pids: Mapping[str, int]
    wait_for_end: Callable[[], None] = field(repr=False)

    def kubeconfig_for(self, token: str) -> Path:
        """Another kubeconfig for the same API server, for instance with the token of a service account."""
        path = self.folder / f"kubeconfig-{hashlib.sha256(token.encode()).hexdigest()[:12]}"
        kubeconfig.write(path, kubeconfig.cluster_of(self.kubeconfig), {"token": token})
        return path
