"""A small model of an API server: both kinds, Secrets, Namespaces and ConfigMaps, as far as the operator uses them.

Nothing in it is ever changed in place: what a watch event shows is what stood there at that time. What the model
claims of finalizers, apply and resourceVersions is proved on a real API server by tests/kube.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coldsend_operator.kube.client import APPLY_PATCH
from coldsend_operator.kube.errors import Conflict, Forbidden, Invalid, KubeError, NotFound
from coldsend_operator.resources.crd import UNSEEN
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    ACCOUNT_PLURAL,
    API_VERSION,
    BATCH_KIND,
    BATCH_PLURAL,
)
from tests.support import writes
from tests.support.clock import FakeClock, rfc3339
from tests.support.writes import tested

T = TypeVar("T")

NAMESPACES = ("sales", "support")
PLURALS = {ACCOUNT_KIND: ACCOUNT_PLURAL, BATCH_KIND: BATCH_PLURAL}

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    kind: str  # ADDED, MODIFIED or DELETED
    object: Raw


def _definitions() -> dict[str, Raw]:
    return {kind: {"generation": 1} for kind in PLURALS}


@dataclass
class FakeCluster:
    """`offset` is the API server's clock minus ours, in seconds."""

    clock: FakeClock
    offset: float = 0.0
    objects: dict[str, Raw] = field(default_factory=dict)  # by path
    history: list[WatchEvent] = field(default_factory=list)
    events: list[Raw] = field(default_factory=list)  # Kubernetes Events, as sent
    config_maps: dict[str, Raw] = field(default_factory=dict)
    secrets: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    namespaces: dict[str, Raw] = field(default_factory=dict)
    on_status: Callable[[Raw, Raw], None] = lambda before, after: None  # of SenderAccounts
    on_stored: Callable[[Raw | None, Raw], None] = lambda before, after: None  # of SenderAccounts
    on_end_asked: Callable[[Raw], None] = lambda raw: None  # the operator deletes an object
    refuses: dict[str, KubeError] = field(default_factory=dict)  # by suffix of the path: the error of each call there
    refused: list[tuple[str, float]] = field(default_factory=list)  # paths, and when
    admission: Callable[[Raw], Raw] = lambda spec: spec  # a policy that changes the spec of SenderAccounts
    quota: int | None = None  # maximum number of SenderAccounts
    refused_children: int = 0  # children refused because of the quota
    map_writes: list[frozenset[str]] = field(default_factory=list)  # keys that each write of the ConfigMap changed
    reads: int = 0  # of Secrets
    applied: int = 0  # children, by server-side apply
    pruned: frozenset[str] = frozenset()  # fields of status of SenderAccounts that the CRD does not know
    hidden: set[str] = field(default_factory=set)  # UIDs of objects with the labels of another shard
    crds: dict[str, Raw] = field(default_factory=_definitions)  # metadata by kind; a missing CRD has no entry
    version: int = 100
    _made: int = 0

    @property
    def now(self) -> float:
        return self.clock() + self.offset

    # -- what people do

    def create(self, namespace: str, name: str, spec: Raw, kind: str = ACCOUNT_KIND, **metadata: Any) -> Raw:
        self._made += 1
        metadata = {
            "uid": f"uid-{self._made:03d}",
            "namespace": namespace,
            "name": name,
            "generation": 1,
            "creationTimestamp": rfc3339(self.now),
            "annotations": {},
            **metadata,
        }
        spec = self.admission(spec) if kind == ACCOUNT_KIND else spec
        return self._store({"kind": kind, "metadata": metadata, "spec": spec, "status": UNSEEN}, "ADDED")

    def find(self, uid: str) -> Raw | None:
        return next((raw for raw in self.objects.values() if raw["metadata"]["uid"] == uid), None)

    def change_spec(self, uid: str, **fields: Any) -> None:
        """Change fields of spec; None removes a field."""
        raw = self._find(uid)
        spec = {key: value for key, value in (raw["spec"] | fields).items() if value is not None}
        if spec != raw["spec"]:
            metadata = writes.owned_by_person(raw["metadata"], fields)
            self._update(raw | {"metadata": metadata, "spec": spec})

    def annotate(self, uid: str, name: str, value: str | None) -> None:
        raw = self._find(uid)
        annotations = {**raw["metadata"]["annotations"]}
        annotations.pop(name, None)
        if value is not None:
            annotations[name] = value
        self._update(raw | {"metadata": raw["metadata"] | {"annotations": annotations}})

    def wipe_finalizers(self, uid: str) -> None:
        """`kubectl replace` with a manifest from Git."""
        raw = self._find(uid)
        metadata = {key: value for key, value in raw["metadata"].items() if key not in {"finalizers", "managedFields"}}
        self._update(raw | {"metadata": metadata})

    def delete(self, uid: str, *finalizers: str) -> None:
        """Delete an object; the finalizer `orphan` stands for `--cascade=orphan`."""
        raw = self._find(uid)
        metadata = raw["metadata"]
        if "deletionTimestamp" in metadata:
            return
        metadata = metadata | {"finalizers": [*(metadata.get("finalizers") or ()), *finalizers]}
        if metadata["finalizers"]:
            marked = {"deletionTimestamp": rfc3339(self.now), "generation": metadata["generation"] + 1}
            self._update(raw | {"metadata": metadata | marked})
        else:
            self._remove(raw)

    def hide(self, uid: str) -> None:
        """Its labels are changed to those of another shard: our watch shows it as deleted."""
        raw = self._find(uid)
        if uid not in self.hidden:
            self.hidden.add(uid)
            self.history.append(WatchEvent("DELETED", raw))

    def show(self, uid: str) -> None:
        raw = self.find(uid)
        if uid in self.hidden:
            self.hidden.discard(uid)
            if raw is not None:
                self.history.append(WatchEvent("ADDED", raw))

    def delete_crd(self, kind: str) -> list[str]:
        """Kubernetes deletes all objects of the kind, then the CRD. Returns the UIDs of the objects."""
        if kind not in self.crds or "deletionTimestamp" in self.crds[kind]:
            return []
        self.crds[kind] = self.crds[kind] | {"deletionTimestamp": rfc3339(self.now)}
        there = [raw for raw in self.of_kind(kind) if "deletionTimestamp" not in raw["metadata"]]
        for raw in there:
            self.delete(raw["metadata"]["uid"])
        self._end_crd(kind)
        return [raw["metadata"]["uid"] for raw in there]

    def install_crd(self, kind: str) -> None:
        if kind not in self.crds:
            self.version += 1
            self.crds[kind] = {"generation": self.version}

    def takes(self, kind: str) -> bool:
        """Whether an object of the kind can be created now."""
        return kind in self.crds and "deletionTimestamp" not in self.crds[kind]

    # -- what Kubernetes does by itself

    def _end_crd(self, kind: str) -> None:
        if kind in self.crds and "deletionTimestamp" in self.crds[kind] and not self.of_kind(kind):
            del self.crds[kind]

    def collect_garbage(self) -> list[str]:
        """Collect garbage: release orphans and delete children of deleted owners. Returns the UIDs of these."""
        for batch in self.of_kind(BATCH_KIND):
            if "orphan" in (batch["metadata"].get("finalizers") or ()):
                self._release(batch)
        there = {raw["metadata"]["uid"] for raw in self.objects.values()}
        collected = []
        for raw in self.of_kind(ACCOUNT_KIND):
            owners = {owner["uid"] for owner in raw["metadata"].get("ownerReferences") or ()}
            if owners and not owners & there and "deletionTimestamp" not in raw["metadata"]:
                collected.append(raw["metadata"]["uid"])
                self.delete(collected[-1])
        return collected

    def _release(self, batch: Raw) -> None:
        for raw in self.of_kind(ACCOUNT_KIND):
            owners = raw["metadata"].get("ownerReferences") or ()
            left = [owner for owner in owners if owner["uid"] != batch["metadata"]["uid"]]
            self._update(raw | {"metadata": raw["metadata"] | {"ownerReferences": left}})
        left = [name for name in batch["metadata"]["finalizers"] if name != "orphan"]
        self._update(batch | {"metadata": batch["metadata"] | {"finalizers": left}})

    def of_kind(self, kind: str) -> list[Raw]:
        return [raw for raw in self.objects.values() if raw["kind"] == kind]

    def terminate(self, namespace: str) -> None:
        """The namespace is in deletion: its annotations still hold."""
        self.namespaces[namespace] = self.namespaces.get(namespace, {"metadata": {}}) | {
            "status": {"phase": "Terminating"}
        }

    def terminates(self, namespace: str) -> bool:
        status: Raw = (self.namespaces.get(namespace) or {}).get("status") or {}
        return status.get("phase") == "Terminating"

    def write_secret(self, namespace: str, name: str, values: Mapping[str, str | bytes] | None) -> None:
        if values is None:
            self.secrets.pop((namespace, name), None)
        else:
            self.secrets[namespace, name] = {key: _encoded(value) for key, value in values.items()}

    # -- calls of the operator

    def get(self, path: str) -> Raw:
        self._may(path)
        parts = path.strip("/").split("/")
        if parts[-1] in {ACCOUNT_PLURAL, BATCH_PLURAL}:
            kind = ACCOUNT_KIND if parts[-1] == ACCOUNT_PLURAL else BATCH_KIND
            _there(self.crds.get(kind), path)
            within = parts[4] if "namespaces" in parts else None
            items = [raw for raw in self.of_kind(kind) if raw["metadata"]["uid"] not in self.hidden]
            return {"metadata": {}, "items": [raw for raw in items if within in {None, raw["metadata"]["namespace"]}]}
        if "customresourcedefinitions" in parts:
            kind = ACCOUNT_KIND if parts[-1].startswith(f"{ACCOUNT_PLURAL}.") else BATCH_KIND
            return {"metadata": _there(self.crds.get(kind), path)}
        if parts[-2:] == API_VERSION.split("/"):
            return {"resources": [{"name": PLURALS[kind], "verbs": self._verbs(kind)} for kind in self.crds]}
        if "configmaps" in parts:
            return _there(self.config_maps.get(path), path)
        if "secrets" in parts:
            self.reads += 1
            values = _there(self.secrets.get((parts[3], parts[5])), path)
            return {"metadata": {"resourceVersion": "1"}, "data": dict(values)}
        if parts[-2] == "namespaces":
            found = self.namespaces.get(parts[-1], {"metadata": {}, "status": {"phase": "Active"}})
            return found | {"metadata": {"name": parts[-1], **found["metadata"]}}
        return _there(self.objects.get(path), path)

    def post(self, path: str, body: Raw) -> Raw:
        if path.endswith("/events"):
            return {}
        path = f"{path}/{body['metadata']['name']}"
        if path in self.config_maps:
            raise Conflict("it exists", status=409, reason="AlreadyExists")
        self.version += 1
        self.config_maps[path] = {"metadata": {"resourceVersion": str(self.version)}, "data": body["data"]}
        return self.config_maps[path]

    def patch(self, path: str, body: Any, content_type: str, manager: str = "") -> Raw:
        self._may(path)
        if "/configmaps/" in path:
            return self._patch_map(path, body)
        if path.endswith("/status"):
            return self._patch_status(path.removesuffix("/status"), body)
        if content_type != APPLY_PATCH:
            raw = _there(self.objects.get(path), path)
            return self._update(writes.json_patched(raw, body, manager))
        if "spec" not in body:
            raw = _there(self.objects.get(path), path)
            return self._update(writes.with_finalizers(raw, body))
        return self._apply_child(path, body)

    def end(self, path: str, body: Raw) -> Raw:
        """The operator's DELETE."""
        self._may(path)
        raw = _there(self.objects.get(path), path)
        for name, wanted in body["preconditions"].items():
            if raw["metadata"][{"uid": "uid"}.get(name, name)] != wanted:
                raise Conflict(f"another {name}", status=409, reason="Conflict")
        self.on_end_asked(raw)
        self.delete(raw["metadata"]["uid"])
        return {}

    # -- internal

    def _may(self, path: str) -> None:
        for end, error in self.refuses.items():
            if path.endswith(end):
                self.refused.append((path, self.clock()))
                raise error

    def _verbs(self, kind: str) -> list[str]:
        return ["get", "list", "patch", *(["create"] if self.takes(kind) else [])]

    def _find(self, uid: str) -> Raw:
        raw = self.find(uid)
        if raw is None:
            raise KeyError(uid)
        return raw

    def _apply_child(self, path: str, manifest: Raw) -> Raw:
        self.applied += 1
        raw = self.objects.get(path)
        wanted = manifest["metadata"]
        if wanted.get("uid") not in {None, (raw or {"metadata": {"uid": ""}})["metadata"]["uid"]}:
            raise Conflict("another UID, or none", status=409, reason="Conflict")
        if raw is None and self.quota is not None and len(self.of_kind(ACCOUNT_KIND)) >= self.quota:
            self.refused_children += 1
            raise Forbidden("exceeded quota: inboxes, requested: count/senderaccounts.coldsend.pro=1", status=403)
        if raw is None and self.terminates(wanted["namespace"]):
            self.refused_children += 1
            message = f"unable to create new content in namespace {wanted['namespace']} because it is being terminated"
            raise Forbidden(message, status=403, reason="Forbidden")
        if raw is None and not self.takes(ACCOUNT_KIND):
            raise KubeError("create not allowed while the definition is terminating", status=405, reason="NotAllowed")
        if raw is None:
            around = {key: wanted[key] for key in ("labels", "ownerReferences")}
            managed = [writes.entry_of_batch(manifest)]
            return self.create(wanted["namespace"], wanted["name"], manifest["spec"], **around, managedFields=managed)
        return self._update(writes.with_manifest(raw, manifest))

    def _store(self, raw: Raw, kind: str) -> Raw:
        self.version += 1
        metadata = raw["metadata"]
        raw = raw | {"metadata": metadata | {"resourceVersion": str(self.version)}}
        path = _path(raw)
        before, self.objects[path] = self.objects.get(path), raw
        if metadata["uid"] not in self.hidden:
            self.history.append(WatchEvent(kind, raw))
        if raw["kind"] == ACCOUNT_KIND:
            self.on_stored(before, raw)
        return raw

    def _update(self, raw: Raw) -> Raw:
        before = self.objects[_path(raw)]
        if raw["kind"] == ACCOUNT_KIND:
            raw = raw | {"spec": self.admission(raw["spec"])}
        if raw == before:
            return raw
        metadata = raw["metadata"]
        if raw["spec"] != before["spec"]:
            raw = raw | {"metadata": metadata | {"generation": metadata["generation"] + 1}}
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            return self._remove(raw)
        return self._store(raw, "MODIFIED")

    def _remove(self, raw: Raw) -> Raw:
        metadata = raw["metadata"]
        self.version += 1
        raw = raw | {"metadata": metadata | {"resourceVersion": str(self.version)}}
        del self.objects[_path(raw)]
        if metadata["uid"] not in self.hidden:
            self.history.append(WatchEvent("DELETED", raw))
        self._end_crd(raw["kind"])
        return raw

    def _patch_status(self, path: str, operations: list[Raw]) -> Raw:
        raw = _there(self.objects.get(path), path)
        status: Raw = dict(raw.get("status") or {})
        for operation in operations:
            where = operation["path"].removeprefix("/status").strip("/")
            match operation["op"], operation["path"]:
                case "test", "/metadata/uid":
                    tested(raw["metadata"]["uid"], operation["value"])
                case "test", "/status":
                    tested(raw.get("status"), operation["value"])
                case "add", "/status":
                    status = dict(operation["value"])
                case "add", _:
                    status[where] = operation["value"]
                case _:
                    if where not in status:
                        raise Invalid("nothing to remove", status=422, reason="Invalid")
                    del status[where]
        if raw["kind"] == ACCOUNT_KIND:
            status = {key: value for key, value in status.items() if key not in self.pruned}
            self.on_status(raw, raw | {"status": status})
        return self._update(raw | {"status": status})

    def _patch_map(self, path: str, body: Raw) -> Raw:
        found = _there(self.config_maps.get(path), path)
        if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise Conflict("another version", status=409, reason="Conflict")
        self.version += 1
        self.map_writes.append(frozenset(body["data"]))
        data = {name: text for name, text in (found["data"] | body["data"]).items() if text is not None}
        self.config_maps[path] = {"metadata": {"resourceVersion": str(self.version)}, "data": data}
        return self.config_maps[path]


def path_of(namespace: str, name: str, kind: str = ACCOUNT_KIND) -> str:
    plural = ACCOUNT_PLURAL if kind == ACCOUNT_KIND else BATCH_PLURAL
    return f"/apis/{API_VERSION}/namespaces/{namespace}/{plural}/{name}"


def _encoded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def _path(raw: Raw) -> str:
    return path_of(raw["metadata"]["namespace"], raw["metadata"]["name"], raw["kind"])


def _there(found: T | None, path: str) -> T:
    if found is None:
        raise NotFound(f"{path} is not there", status=404, reason="NotFound")
    return found
