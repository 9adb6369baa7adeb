"""What roles grant, one verb at a time, and what a service account asked for, as the audit log tells."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import devcluster
from tests.chart.support import Object, Rendered


@dataclass(frozen=True)
class Request:
    """What an authorizer is asked. `name` is empty for a list, a watch of many and a create."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    allowed: bool = True


@dataclass(frozen=True)
class Right:
    """One verb on one resource; without `names` on all of them, without `namespace` everywhere."""

    verb: str
    group: str
    resource: str
    namespace: str
    names: frozenset[str]

    def allows(self, request: Request) -> bool:
        return (
            (self.verb, self.group, self.resource) == (request.verb, request.group, request.resource)
            and self.namespace in {"", request.namespace}
            and (not self.names or request.name in self.names)
        )


def rights_of(made: Rendered, account: str) -> list[Right]:
    """What the bindings of a release give to a service account."""
    return [
        Right(verb, group, resource, binding["metadata"].get("namespace", ""), frozenset(rule.get("resourceNames", ())))
        for kind in ("ClusterRoleBinding", "RoleBinding")
        for binding in made.of(kind)
        if account in {subject["name"] for subject in binding["subjects"]}
        for rule in _rules(made, binding)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def _rules(made: Rendered, binding: Object) -> list[Object]:
    reference, namespace = binding["roleRef"], binding["metadata"].get("namespace")
    (rules,) = (
        role["rules"]
        for role in made.of(reference["kind"])
        if role["metadata"]["name"] == reference["name"] and role["metadata"].get("namespace") in {None, namespace}
    )
    found: list[Object] = rules
    return found


def unneeded(rights: Iterable[Right], requests: Iterable[Request]) -> list[Right]:
    """Rights that can be taken away, each alone, without refusing any of the requests.

    The same right in several namespaces is one: the chart writes the same rules into each.
    """
    granted = list(rights)
    allowing = ([right for right in granted if right.allows(request)] for request in requests)
    alone = {replace(rights[0], namespace="") for rights in allowing if len(rights) == 1}
    return [right for right in granted if replace(right, namespace="") not in alone]


def asked(cluster: devcluster.Cluster, namespace: str, account: str) -> set[Request]:
    """All that the service account ever asked for, but what every account may: discovery and the like."""
    assert cluster.audit_log is not None, "only the embedded control plane keeps an audit log"
    user = f"system:serviceaccount:{namespace}:{account}"
    with cluster.audit_log.open() as lines:
        entries = [json.loads(line) for line in lines if user in line]
    return {
        request
        for entry in entries
        if entry["user"]["username"] == user and "objectRef" in entry
        for request in _requests(entry)
    }


def _requests(entry: Object) -> Iterator[Request]:
    about = entry["objectRef"]
    resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
    code = entry["responseStatus"]["code"]
    verbs = [entry["verb"]]
    if (entry["verb"], code) == ("patch", 201):  # an apply that made the object: the API server asked for both rights
        verbs.append("create")
    for verb in verbs:
        name = "" if verb == "create" else about.get("name", "")  # the log has it from the body, the authorizer not
        yield Request(verb, about.get("apiGroup", ""), resource, about.get("namespace", ""), name, code != 403)
