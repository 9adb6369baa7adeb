"""An administrator's access to the API server, by plain HTTP through `kubectl proxy`."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

import devcluster

Object = dict[str, Any]

GROUP = "/apis/coldsend.pro/v1alpha1"
MANAGER = "a-person"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
PLURALS = {
    "Namespace": "/api/v1/namespaces",
    "Secret": "/api/v1/namespaces/{namespace}/secrets",
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "Event": "/apis/events.k8s.io/v1/namespaces/{namespace}/events",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "MutatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
    "SenderAccount": GROUP + "/namespaces/{namespace}/senderaccounts",
    "SenderAccountBatch": GROUP + "/namespaces/{namespace}/senderaccountbatches",
}


class Refused(Exception):  # noqa: N818 - what the API server did
    """The API server refused a request."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"{response.request.method} {response.request.url}: {response.text}")
        self.status = response.status_code


class ApiServer:
    """Reads and writes objects as JSON. Many stories use it at once."""

    def __init__(self, cluster: devcluster.Cluster, url: str) -> None:
        self.cluster = cluster
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False, limits=httpx.Limits(max_connections=None))

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        try:
            return self.ask("GET", f"{_path(kind, namespace)}/{name}")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def items(self, kind: str, namespace: str) -> list[Object]:
        found: list[Object] = self.ask("GET", _path(kind, namespace))["items"]
        return found

    def apply(self, *objects: Object) -> None:
        """Server-side apply, as by people and Git tools."""
        for each in objects:
            metadata = each["metadata"]
            path = f"{_path(each['kind'], metadata.get('namespace', ''))}/{metadata['name']}"
            self.ask("PATCH", path, each, APPLY, fieldManager=MANAGER, force="true")

    def merge(self, kind: str, namespace: str, name: str, change: Object) -> Object:
        return self.ask("PATCH", f"{_path(kind, namespace)}/{name}", change, MERGE, fieldManager=MANAGER)

    def delete(self, kind: str, namespace: str, name: str) -> None:
        self.ask("DELETE", f"{_path(kind, namespace)}/{name}")

    def delete_all(self, kind: str, namespace: str) -> None:
        self.ask("DELETE", _path(kind, namespace))

    def ask(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json", **query: str
    ) -> Object:
        headers = {"Content-Type": content_type} if body is not None else {}
        content = None if body is None else json.dumps(body)
        response = self.http.request(method, path, params=query, content=content, headers=headers)
        if response.is_error:
            raise Refused(response)
        answer: Object = response.json()
        return answer

    def token(self, namespace: str, account: str) -> str:
        """A token of a ServiceAccount."""
        path = f"{_path('ServiceAccount', namespace)}/{account}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        }
        return str(self.ask("POST", path, request)["status"]["token"])

    def kubectl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self.cluster.kubectl), "--kubeconfig", str(self.cluster.kubeconfig), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=check)


@contextmanager
def api_server(cluster: devcluster.Cluster) -> Iterator[ApiServer]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "demo.end_with_parent"),  # a worker of pytest may be killed, at Ctrl-C for instance
            *(str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), "proxy", "--port=0"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for pytest, which may need it to clean up
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        assert line.startswith("Starting to serve on "), f"kubectl proxy did not start: {line}"
        server = ApiServer(cluster, f"http://{line.split()[-1]}")
        try:
            yield server
        finally:
            server.http.close()
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()


def _path(kind: str, namespace: str) -> str:
    return PLURALS[kind].format(namespace=namespace)


def named(kind: str, namespace: str, name: str, **parts: Any) -> Object:
    """An object of a built-in kind."""
    group = PLURALS[kind].removeprefix("/apis/").removeprefix("/api/").split("/")
    version = "/".join(group[:2]) if PLURALS[kind].startswith("/apis/") else group[0]
    metadata: Mapping[str, Any] = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}
