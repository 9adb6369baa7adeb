"""A small model of an API server: SenderAccounts, Secrets, Namespaces and ConfigMaps, as far as the operator asks.

Nothing in it is ever changed in place: what a watch event shows is what stood there at that time. What the model
claims of finalizers, apply and resourceVersions is proved on a real API server by tests/kube.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coldsend_operator.kube.client import APPLY_PATCH, FIELD_MANAGER, Conflict, Invalid, KubeError, NotFound
from coldsend_operator.resources.names import API_VERSION, FINALIZER
from tests.support.clock import FakeClock, rfc3339

T = TypeVar("T")

NAMESPACES = ("sales", "support")
ACCOUNTS = f"/apis/{API_VERSION}/senderaccounts"
BATCHES = f"/apis/{API_VERSION}/senderaccountbatches"

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    kind: str  # ADDED, MODIFIED or DELETED
    object: Raw


@dataclass
class FakeCluster:
    """`offset` is the API server's clock minus ours, in seconds."""

    clock: FakeClock
    offset: float = 0.0
    objects: dict[str, Raw] = field(default_factory=dict)  # by path
    history: list[WatchEvent] = field(default_factory=list)
    config_maps: dict[str, Raw] = field(default_factory=dict)
    secrets: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    namespaces: dict[str, Raw] = field(default_factory=dict)
    on_status: Callable[[Raw, Raw], None] = lambda before, after: None
    version: int = 100
    _made: int = 0

    @property
    def now(self) -> float:
        return self.clock() + self.offset

    # -- what people do

    def create(self, namespace: str, name: str, spec: Raw, annotations: Mapping[str, str] | None = None) -> Raw:
        self._made += 1
        metadata = {
            "uid": f"uid-{self._made:03d}",
            "namespace": namespace,
            "name": name,
            "generation": 1,
            "creationTimestamp": rfc3339(self.now),
            "annotations": dict(annotations or {}),
        }
        return self._store(path_of(namespace, name), {"metadata": metadata, "spec": spec}, "ADDED")

    def find(self, uid: str) -> Raw | None:
        return next((raw for raw in self.objects.values() if raw["metadata"]["uid"] == uid), None)

    def change_spec(self, uid: str, **fields: Any) -> None:
        """Change fields of spec; None takes one away."""
        raw = self._find(uid)
        spec = {key: value for key, value in (raw["spec"] | fields).items() if value is not None}
        if spec != raw["spec"]:
            metadata = raw["metadata"] | {"generation": raw["metadata"]["generation"] + 1}
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

    def delete(self, uid: str) -> None:
        raw = self._find(uid)
        metadata = raw["metadata"]
        if "deletionTimestamp" in metadata:
            return
        if metadata.get("finalizers"):
            marked = {"deletionTimestamp": rfc3339(self.now), "generation": metadata["generation"] + 1}
            self._update(raw | {"metadata": metadata | marked})
        else:
            self._remove(raw)

    def write_secret(self, namespace: str, name: str, values: dict[str, str] | None) -> None:
        if values is None:
            self.secrets.pop((namespace, name), None)
        else:
            self.secrets[namespace, name] = values

    # -- what the operator asks

    def get(self, path: str) -> Raw:
        parts = path.strip("/").split("/")
        if path in {ACCOUNTS, BATCHES}:
            items = list(self.objects.values()) if path == ACCOUNTS else []
            return {"metadata": {}, "items": items}
        if "configmaps" in parts:
            return _there(self.config_maps.get(path), path)
        if "secrets" in parts:
            values = _there(self.secrets.get((parts[3], parts[5])), path)
            data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
            return {"metadata": {"resourceVersion": "1"}, "data": data}
        if parts[-2] == "namespaces":
            return self.namespaces.get(parts[-1], {"metadata": {}, "status": {"phase": "Active"}})
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

    def patch(self, path: str, body: Any, content_type: str) -> Raw:
        if "/configmaps/" in path:
            return self._patch_map(path, body)
        if path.endswith("/status"):
            return self._patch_status(path.removesuffix("/status"), body)
        return self._apply(path, body) if content_type == APPLY_PATCH else self._patch_finalizers(path, body)

    # -- within

    def _find(self, uid: str) -> Raw:
        raw = self.find(uid)
        if raw is None:
            raise KeyError(uid)
        return raw

    def _store(self, path: str, raw: Raw, kind: str) -> Raw:
        self.version += 1
        raw = raw | {"metadata": raw["metadata"] | {"resourceVersion": str(self.version)}}
        self.objects[path] = raw
        self.history.append(WatchEvent(kind, raw))
        return raw

    def _update(self, raw: Raw) -> Raw:
        metadata = raw["metadata"]
        path = path_of(metadata["namespace"], metadata["name"])
        if raw == self.objects[path]:
            return raw
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            return self._remove(raw)
        return self._store(path, raw, "MODIFIED")

    def _remove(self, raw: Raw) -> Raw:
        metadata = raw["metadata"]
        self.version += 1
        raw = raw | {"metadata": metadata | {"resourceVersion": str(self.version)}}
        del self.objects[path_of(metadata["namespace"], metadata["name"])]
        self.history.append(WatchEvent("DELETED", raw))
        return raw

    def _apply(self, path: str, body: Raw) -> Raw:
        """Server-side apply of finalizers, by our field manager."""
        raw = _there(self.objects.get(path), path)
        metadata = raw["metadata"]
        if body["metadata"]["uid"] != metadata["uid"]:
            raise Conflict("another UID", status=409, reason="Conflict")
        wanted = set(body["metadata"]["finalizers"])
        before = set(metadata.get("finalizers") or ())
        owned = _owned(metadata)
        after = (before - (owned - wanted)) | wanted
        if "deletionTimestamp" in metadata and after - before:
            raise Invalid("no new finalizers can be added in deletion", status=422, reason="Invalid")
        if after == before and owned == wanted:
            return raw
        managed = [] if after == before and not owned else [_entry(wanted, rfc3339(self.now))]
        return self._update(raw | {"metadata": metadata | {"finalizers": sorted(after), "managedFields": managed}})

    def _patch_finalizers(self, path: str, operations: list[Raw]) -> Raw:
        raw = _there(self.objects.get(path), path)
        metadata = raw["metadata"]
        names: list[str | None] = list(metadata.get("finalizers") or ())
        for operation in operations:
            where = operation["path"].rsplit("/", 1)[1]
            if operation["op"] == "test" and operation["path"] == "/metadata/uid":
                _tested(metadata["uid"], operation["value"])
            elif operation["op"] == "test":
                _tested(names[int(where)] if int(where) < len(names) else None, operation["value"])
            else:
                names[int(where)] = None
        left = [name for name in names if name is not None]
        managed = [_entry(_owned(metadata) & set(left), rfc3339(self.now))] if _owned(metadata) & set(left) else []
        return self._update(raw | {"metadata": metadata | {"finalizers": left, "managedFields": managed}})

    def _patch_status(self, path: str, operations: list[Raw]) -> Raw:
        raw = _there(self.objects.get(path), path)
        status: Raw = dict(raw.get("status") or {})
        for operation in operations:
            where = operation["path"].removeprefix("/status").strip("/")
            match operation["op"], operation["path"]:
                case "test", "/metadata/uid":
                    _tested(raw["metadata"]["uid"], operation["value"])
                case "test", "/status":
                    _tested(raw.get("status"), operation["value"])
                case "add", "/status":
                    status = dict(operation["value"])
                case "add", _:
                    status[where] = operation["value"]
                case _:
                    if where not in status:
                        raise Invalid("nothing to remove", status=422, reason="Invalid")
                    del status[where]
        self.on_status(raw, raw | {"status": status})
        return self._update(raw | {"status": status})

    def _patch_map(self, path: str, body: Raw) -> Raw:
        found = _there(self.config_maps.get(path), path)
        if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
            raise Conflict("another version", status=409, reason="Conflict")
        self.version += 1
        data = found["data"] | body["data"]
        self.config_maps[path] = {"metadata": {"resourceVersion": str(self.version)}, "data": data}
        return self.config_maps[path]


def path_of(namespace: str, name: str) -> str:
    return f"/apis/{API_VERSION}/namespaces/{namespace}/senderaccounts/{name}"


def _there(found: T | None, path: str) -> T:
    if found is None:
        raise NotFound(f"{path} is not there", status=404, reason="NotFound")
    return found


def _tested(found: object, wanted: object) -> None:
    if found != wanted:
        raise Invalid("the test failed", status=422, reason="Invalid")


def _entry(finalizers: set[str], time: str) -> Raw:
    fields: dict[str, dict[str, object]] = {f'v:"{name}"': {} for name in finalizers}
    return {
        "manager": FIELD_MANAGER,
        "operation": "Apply",
        "time": time,
        "fieldsV1": {"f:metadata": {"f:finalizers": fields}},
    }


def _owned(metadata: Raw) -> set[str]:
    owned: set[str] = set()
    for entry in metadata.get("managedFields") or ():
        owned |= {name[3:-1] for name in entry["fieldsV1"]["f:metadata"]["f:finalizers"]}
    return owned


def is_marked(raw: Raw) -> bool:
    return FINALIZER in (raw["metadata"].get("finalizers") or ())


NO_ANSWER = KubeError("no answer in time", reason="TimeoutError")
