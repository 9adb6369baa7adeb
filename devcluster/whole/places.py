"""Addresses and files of a whole cluster, valid in its box."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from devcluster.whole.box import CGROUP, FOLDER

HOST = "10.99.0.1"
"""The address of the only node; test servers for pods listen here."""
HOST_NETWORK = f"{HOST}/24"
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/16"
API_SERVER_PORT = 6443
API_SERVER_URL = f"https://{HOST}:{API_SERVER_PORT}"
NODE = "coldsend"
CONTAINERD = Path("/run/containerd-images")
VOLUME_PLUGINS = Path("/run/volume-plugins")
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
PAUSE_IMAGE = "localhost/pause:1"


@dataclass(frozen=True)
class Places:
    """The files of one box. `snapshotter` is the snapshotter of containerd."""

    folder: Path
    cgroup: str
    snapshotter: str

    @classmethod
    def of_this_box(cls) -> "Places":
        snapshotter = "overlayfs" if _can_overlay(CONTAINERD) else "native"
        return cls(Path(os.environ[FOLDER]), os.environ[CGROUP], snapshotter)

    @property
    def containerd_config(self) -> Path:
        return self.folder / "containerd.toml"

    @property
    def kubelet_config(self) -> Path:
        return self.folder / "kubelet.yaml"

    @property
    def proxy_config(self) -> Path:
        return self.folder / "kube-proxy.yaml"

    @property
    def corefile(self) -> Path:
        return self.folder / "Corefile"

    @property
    def cni(self) -> Path:
        return self.folder / "cni"

    def kubeconfig(self, component: str) -> Path:
        return self.folder / f"kubeconfig-{component}"


def _can_overlay(folder: Path) -> bool:
    """Whether overlayfs works here; without it each container copies its image."""
    probe = folder / "overlay"
    lower, upper, work, merged = (probe / name for name in ("lower", "upper", "work", "merged"))
    for path in (lower, upper, work, merged):
        path.mkdir(parents=True)
    layers = f"lowerdir={lower},upperdir={upper},workdir={work}"
    mounted = subprocess.run(["mount", "-t", "overlay", "-o", layers, "none", str(merged)], check=False)
    if mounted.returncode == 0:
        subprocess.run(["umount", str(merged)], check=True)
    return mounted.returncode == 0
