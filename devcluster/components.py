"""The command lines of the three components, which run in the run's folder, so that socket paths stay short."""

from dataclasses import dataclass
from pathlib import Path

from devcluster.programs import API_SERVER, CONTROLLERS, ETCD, Programs
from devcluster.run_folder import RunFolder

ADMIN = ("admin", "system:masters")
CONTROLLERS_USER = ("system:kube-controller-manager", "")

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""

_CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "serviceaccount-controller",
    "clusterrole-aggregation-controller",  # fills the roles view, edit and admin
)

# Sockets, not ports: other users cannot connect, and parallel runs do not collide.
_ETCD_SOCKET, _PEER_SOCKET = "unix://etcd.sock", "unix://peer.sock"


@dataclass(frozen=True)
class Component:
    name: str
    command: tuple[str, ...]


def etcd(programs: Programs) -> Component:
    return component(
        ETCD,
        programs.etcd,
        name="devcluster",
        data_dir="etcd",
        listen_client_urls=_ETCD_SOCKET,
        advertise_client_urls=_ETCD_SOCKET,
        listen_peer_urls=_PEER_SOCKET,
        initial_advertise_peer_urls=_PEER_SOCKET,
        initial_cluster=f"devcluster={_PEER_SOCKET}",
        unsafe_no_fsync="true",  # the data is not needed after the run
        quota_backend_bytes=str(8 * 2**30),  # for 50,000 objects of 6 kB, written often between two compactions
        log_level="warn",
    )


def api_server(programs: Programs, folder: RunFolder, port: int, *, audit: bool, **changes: str) -> Component:
    """`changes` replace flags, for a whole cluster."""
    audit_flags = {
        "audit_policy_file": str(folder.audit_policy),
        "audit_log_path": str(folder.audit_log),
        "audit_log_maxsize": "100000",  # MB: tests count requests, and a rotation would lose some
    }
    flags = {
        "etcd_servers": _ETCD_SOCKET,
        "bind_address": "127.0.0.1",
        "advertise_address": "127.0.0.1",
        "secure_port": str(port),
        "permit_port_sharing": "true",  # the supervisor has reserved the port
        "endpoint_reconciler_type": "none",
        "cert_dir": str(folder.certificates),
        "authorization_mode": "RBAC",
        "token_auth_file": str(folder.tokens),
        "service_account_issuer": "https://kubernetes.default.svc",
        # The API server creates this key at its first start.
        "service_account_key_file": str(folder.key),
        "service_account_signing_key_file": str(folder.key),
        "service_cluster_ip_range": "10.96.0.0/16",
        "disable_admission_plugins": "ServiceAccount",  # only pods need it
        "max_requests_inflight": "1600",  # four times the default: tests apply tens of thousands of objects
        "max_mutating_requests_inflight": "800",
        **(audit_flags if audit else {}),
    }
    return component(API_SERVER, programs.kube_apiserver, **flags | changes)


def controllers(program: Path, folder: RunFolder, **changes: str) -> Component:
    """`changes` replace flags, for a whole cluster."""
    flags = {
        "kubeconfig": str(folder.controllers_kubeconfig),
        "controllers": ",".join(_CONTROLLERS),
        "use_service_account_credentials": "true",  # each controller with its own role, as in a cluster
        "leader_elect": "false",
        "secure_port": "0",
        "kube_api_qps": "1000",  # with the default, 20, the deletion of 10,000 children takes minutes
        "kube_api_burst": "2000",
    }
    return component(CONTROLLERS, program, **flags | changes)


def component(name: str, program: Path, /, **flags: str) -> Component:
    return Component(name, (str(program), *(f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items())))
