"""What a cluster does for its users, the control plane does too."""

import http.client
import json
import ssl
from urllib.parse import urlsplit

import devcluster
from devcluster import Cluster
from tests.devcluster.support import Kubectl, wait_until

WIDGETS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "size": {
                                "type": "integer",
                                "x-kubernetes-validations": [{"rule": "self < 5", "message": "give less than 5"}],
                            }
                        },
                    }
                },
            }
        ],
    },
}


def widget(size: int) -> dict[str, object]:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "size": size}


def config_map(name: str, **metadata: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def test_a_rule_of_a_crd_refuses_with_its_message(kubectl: Kubectl) -> None:
    kubectl.apply(WIDGETS)
    kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=120s")
    assert "give less than 5" in kubectl.refusal("apply", "--server-side", "-f", "-", manifest=widget(5))
    kubectl.apply(widget(4))


def test_a_deleted_namespace_takes_its_objects_along(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "short-lived")
    kubectl.apply(config_map("inside", namespace="short-lived"))
    kubectl("delete", "namespace", "short-lived", "--timeout=120s")
    assert "short-lived" not in kubectl("get", "configmaps", "--all-namespaces")


def test_what_a_deleted_owner_owned_is_collected(kubectl: Kubectl) -> None:
    kubectl.apply(config_map("owner"))
    uid = kubectl("get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}")
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    kubectl.apply(config_map("owned", ownerReferences=[owner]))
    kubectl("delete", "configmap", "owner")
    kubectl("wait", "--for=delete", "configmap/owned", "--timeout=120s")


def test_a_token_of_a_service_account_may_do_what_its_role_allows(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "reader")
    reader = Kubectl(cluster, kubectl("create", "token", "reader").strip())
    assert 'User "system:serviceaccount:default:reader" cannot list' in reader.refusal("get", "configmaps")
    kubectl("create", "rolebinding", "reader", "--clusterrole=view", "--serviceaccount=default:reader")
    assert wait_until(lambda: reader.succeeds("get", "configmaps"))


def test_every_request_stands_in_the_audit_log_with_its_user_and_verb(cluster: Cluster, kubectl: Kubectl) -> None:
    kubectl.apply(config_map("counted"))
    assert cluster.audit_log is not None
    events = [json.loads(line) for line in cluster.audit_log.read_text().splitlines()]
    written = [
        (event["user"]["username"], event["verb"], event["responseStatus"]["code"])
        for event in events
        if event.get("objectRef", {}).get("name") == "counted"
    ]
    assert written == [("admin", "patch", 201)]


def test_its_certificate_passes_the_strictest_check_of_python(cluster: Cluster) -> None:
    trust = ssl.create_default_context(cafile=str(cluster.ca_file))
    trust.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    connection = http.client.HTTPSConnection(urlsplit(cluster.url).netloc, context=trust)
    connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {cluster.admin_token}"})
    assert connection.getresponse().status == 200


def test_a_second_control_plane_runs_beside_the_first_and_shares_nothing(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "only-in-the-first")
    with devcluster.control_plane() as second:
        assert second.audit_log is None
        assert "only-in-the-first" not in Kubectl(second)("get", "namespaces")
    assert not second.folder.exists()
    kubectl("get", "namespace", "only-in-the-first")
