"""Chooses the control plane: the current cluster, or an embedded one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devcluster.cluster import Cluster
from devcluster.current import current_cluster
from devcluster.embedded import embedded_cluster
from devcluster.errors import WrongSettingError


@contextmanager
def control_plane(root: Path | None = None, *, audit: bool = False, controllers: bool = True) -> Iterator[Cluster]:
    """A control plane that serves until the end of the block; missing programs are built first.

    Args:
        root: the parent of the run's folder; the system's temporary folder by default.
        audit: whether to write all requests to `Cluster.audit_log`.
        controllers: whether a controller manager is needed: for garbage collection by owner references, the deletion of
            namespaces, default service accounts and aggregated roles. If False, one runs only if it is already built.

    Raises:
        DevclusterError: it cannot be built or started, or a component ended during the block.
    """
    if uses_current_cluster():
        with current_cluster(root) as cluster:
            yield cluster
    else:
        with embedded_cluster(root, audit=audit, controllers=controllers) as cluster:
            yield cluster


def uses_current_cluster() -> bool:
    chosen = os.environ.get("CLUSTER", "")
    if chosen not in {"", "current"}:
        raise WrongSettingError(f"CLUSTER={chosen} is not known; set it to `current` or leave it out")
    return chosen == "current"
