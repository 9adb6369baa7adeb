"""Finds the programs of a whole cluster."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from devcluster.builder import build, sources
from devcluster.modules import ARGOCD, CONTAINERD, CONTROL_PLANE, COREDNS, HELM, NODE, WHOLE_CLUSTER_MODULES
from devcluster.programs import API_SERVER, CONTROLLERS, ETCD, Programs, find_kubectl


@dataclass(frozen=True)
class NodePrograms:
    kubelet: Path
    kube_proxy: Path
    kube_scheduler: Path
    containerd: Path
    ctr: Path
    coredns: Path
    pause: Path


def build_all() -> None:
    """Build or download everything, as the box has no network."""
    for module in (CONTROL_PLANE, HELM, *WHOLE_CLUSTER_MODULES):
        build(module, module.packages)
    find_kubectl()
    argocd_crds()


def control_plane() -> Programs:
    folder = build(CONTROL_PLANE, CONTROL_PLANE.packages)
    return Programs(folder / ETCD, folder / API_SERVER, folder / CONTROLLERS)


def controllers() -> Path:
    return build(CONTROL_PLANE, [CONTROLLERS]) / CONTROLLERS


def node() -> NodePrograms:
    kubernetes, runtime, names = (build(module, module.packages) for module in (NODE, CONTAINERD, COREDNS))
    return NodePrograms(
        kubelet=kubernetes / "kubelet",
        kube_proxy=kubernetes / "kube-proxy",
        kube_scheduler=kubernetes / "kube-scheduler",
        containerd=runtime / "containerd",
        ctr=runtime / "ctr",
        coredns=names / "coredns",
        pause=names / "pause",
    )


def helm() -> Path:
    return build(HELM, HELM.packages) / "helm"


def argocd() -> Path:
    return build(ARGOCD, ARGOCD.packages) / "argocd"


def argocd_crds() -> Path:
    """The folder of Argo CD's CRDs, beside its program."""
    kept = argocd().with_name("crds")
    if not kept.is_dir():
        shutil.copytree(sources(ARGOCD) / "manifests" / "crds", kept, ignore=shutil.ignore_patterns("kustomization*"))
    return kept
