"""A real control plane of Kubernetes, without pods, for the demo, the tests and the bench."""

from devcluster.choice import control_plane
from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError, WrongSettingError

__all__ = ["Cluster", "DevclusterError", "WrongSettingError", "control_plane"]
