"""A running control plane, as its users see it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import kubeconfig


@dataclass(frozen=True)
class Cluster:
    """A running control plane.

    Attributes:
        kubeconfig: of the administrator, and self-contained, so it can be copied.
        kubectl: a kubectl of a supported version.
        url: of the API server.
        ca_file: the CA of its certificate.
        admin_token: bearer token of the administrator; None for a current cluster with other credentials.
        audit_log: a line of JSON for each request (level Metadata), written before the response is sent; None if not
            requested, and for a current cluster.
        log_dir: the logs of the components; empty for a current cluster.
        folder: the folder of this run, removed at its end; callers may put files there.
        pids: of the components and the supervisor; empty for a current cluster.
        wait_for_end: returns when a component has ended unexpectedly; the `with` block then raises the reason.
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
        """A kubeconfig for the same API server with another token, for example that of a service account."""
        path = self.folder / f"kubeconfig-{hashlib.sha256(token.encode()).hexdigest()[:12]}"
        kubeconfig.write(path, kubeconfig.cluster_of(self.kubeconfig), {"token": token})
        return path
