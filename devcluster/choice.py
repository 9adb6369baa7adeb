"""Which control plane: the current cluster, that of KUBEBUILDER_ASSETS, or our own."""

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
    """A control plane that serves for the length of the block; what is missing for it is built first.

    Args:
        root: where the folder of the run is made; the system's temporary folder if not given.
        audit: whether each request is written to `Cluster.audit_log`.
        controllers: whether a controller manager is needed: for the garbage collection by owner references, the
            end of namespaces, default service accounts and aggregated roles. Without, one runs only if it is at hand.

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
