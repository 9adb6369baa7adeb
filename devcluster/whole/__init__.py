"""A whole cluster on this machine, in which pods run, within Linux namespaces of its own."""

from devcluster.whole.cluster import WholeCluster, whole_cluster

__all__ = ["WholeCluster", "whole_cluster"]
