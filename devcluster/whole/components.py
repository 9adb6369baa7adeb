"""The command lines of the components that a whole cluster adds to the control plane or configures differently."""

import os
from pathlib import Path

from devcluster import components
from devcluster.components import Component, component
from devcluster.programs import Programs
from devcluster.run_folder import RunFolder
from devcluster.whole import places
from devcluster.whole.places import Places
from devcluster.whole.programs import NodePrograms

CONTAINERD, KUBELET, PROXY, SCHEDULER, NAME_SERVER = "containerd", "kubelet", "kube-proxy", "kube-scheduler", "coredns"

USERS = {
    KUBELET: (f"system:node:{places.NODE}", "system:nodes"),
    PROXY: ("system:kube-proxy", ""),
    SCHEDULER: ("system:kube-scheduler", ""),
    NAME_SERVER: components.ADMIN,  # Kubernetes has no role for it
}
"""User and group of each component at the API server."""


def api_server(programs: Programs, folder: RunFolder) -> Component:
    return components.api_server(
        programs,
        folder,
        places.API_SERVER_PORT,
        audit=True,
        bind_address="0.0.0.0",  # noqa: S104 - all addresses of the box
        advertise_address=places.HOST,
        endpoint_reconciler_type="lease",  # for the Service `kubernetes`, by which pods reach it
        authorization_mode="Node,RBAC",
        disable_admission_plugins="",
        kubelet_preferred_address_types="InternalIP",
        service_cluster_ip_range=places.SERVICES,
    )


def controllers(program: Path, folder: RunFolder) -> Component:
    return components.controllers(
        program,
        folder,
        controllers="*",
        flex_volume_plugin_dir=str(places.VOLUME_PLUGINS),
        root_ca_file=str(folder.ca),
        service_account_private_key_file=str(folder.key),
    )


def scheduler(programs: NodePrograms, here: Places) -> Component:
    return component(
        SCHEDULER,
        programs.kube_scheduler,
        kubeconfig=str(here.kubeconfig(SCHEDULER)),
        authentication_skip_lookup="true",
        leader_elect="false",
        secure_port="0",
    )


def containerd(programs: NodePrograms, here: Places) -> Component:
    # containerd finds its shim on PATH.
    path = f"PATH={programs.containerd.parent}:{os.environ['PATH']}"
    return Component(CONTAINERD, ("env", path, str(programs.containerd), "--config", str(here.containerd_config)))


def kubelet(programs: NodePrograms, here: Places) -> Component:
    return component(
        KUBELET,
        programs.kubelet,
        config=str(here.kubelet_config),
        hostname_override=places.NODE,
        kubeconfig=str(here.kubeconfig(KUBELET)),
        node_ip=places.HOST,
    )


def proxy(programs: NodePrograms, here: Places) -> Component:
    return component(PROXY, programs.kube_proxy, config=str(here.proxy_config))


def name_server(programs: NodePrograms, here: Places) -> Component:
    return Component(NAME_SERVER, (str(programs.coredns), "-conf", str(here.corefile)))
