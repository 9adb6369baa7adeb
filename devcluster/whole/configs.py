"""The configuration files of the node's programs."""

import json
from typing import Any

import yaml

from devcluster.whole import places
from devcluster.whole.places import Places
from devcluster.whole.requirements import CNI_PLUGINS

_CONTAINERD = """\
version = 3
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
address = "{socket}"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "{snapshotter}"
[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{pause}"

[plugins."io.containerd.cri.v1.runtime"]
disable_apparmor = true
restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{plugins}"]
conf_dir = "{cni}"
[plugins."io.containerd.cri.v1.runtime".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
SystemdCgroup = false
"""

_NEVER_SHORT_OF = ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available")

_COREFILE = """\
cluster.local in-addr.arpa {{
    bind {host}
    errors
    ready {host}:8181
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 1
    }}
}}
"""


def write_all(here: Places) -> None:
    here.cni.mkdir()
    (here.cni / "10-bridge.conflist").write_text(json.dumps(_network()))
    here.containerd_config.write_text(
        _CONTAINERD.format(
            root=places.CONTAINERD,
            socket=places.CONTAINERD_SOCKET,
            snapshotter=here.snapshotter,
            pause=places.PAUSE_IMAGE,
            plugins=CNI_PLUGINS,
            cni=here.cni,
        )
    )
    here.kubelet_config.write_text(yaml.safe_dump(_kubelet(here)))
    here.proxy_config.write_text(yaml.safe_dump(_proxy(here)))
    here.corefile.write_text(_COREFILE.format(host=places.HOST, kubeconfig=here.kubeconfig("coredns")))


def _network() -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "pods0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": places.PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}


def _kubelet(here: Places) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": places.HOST,
        # Only the box can reach it, and `kubectl logs` then needs no certificate.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{here.cgroup}",
        "cgroupsPerQOS": False,
        "clusterDNS": [places.HOST],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{places.CONTAINERD_SOCKET}",
        "enforceNodeAllocatable": [],
        # A full disk of the machine does not matter here.
        "evictionHard": dict.fromkeys(
            ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available"), "0%"
        ),
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        "syncFrequency": "5s",  # time until pods see a changed Secret; the default is a minute
        "volumePluginDir": str(places.VOLUME_PLUGINS),
    }


def _proxy(here: Places) -> dict[str, Any]:
    nothing = {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"}
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(here.kubeconfig("kube-proxy"))},
        "clusterCIDR": places.PODS,
        "conntrack": nothing,  # leaves the machine's limits unchanged
        "hostnameOverride": places.NODE,
        "mode": "nftables",
    }
