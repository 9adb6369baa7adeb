"""A whole cluster with pods on this machine, isolated in Linux namespaces."""

from devcluster.whole.cluster import WholeCluster, whole_cluster

__all__ = ["WholeCluster", "whole_cluster"]
