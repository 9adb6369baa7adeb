"""A real Kubernetes control plane without pods, for the demo, the tests and the benchmarks."""

from devcluster.choice import control_plane, uses_current_cluster
from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError, WrongSettingError

__all__ = ["Cluster", "DevclusterError", "WrongSettingError", "control_plane", "uses_current_cluster"]
