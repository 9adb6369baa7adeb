"""The objects of the cluster with the manifests applied, as by kubectl, Argo CD and batches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.kube.paths import KINDS
from coldsend_operator.resources.account_rules import IDENTITY_RULES
from coldsend_operator.resources.names import BATCH_KIND, FINALIZER
from coldsend_operator.tools.manifests import Document, Manifest, generate_name, key_of
from coldsend_operator.tools.selectors import Selector
from coldsend_operator.tools.validation.checks import Problem, problems

Raw = dict[str, Any]
Key = tuple[str, str, str]  # kind, namespace, name
_IDENTITY = ("inboxType", *(rule.field for rule in IDENTITY_RULES))
_OF_INBOX = "spec.inboxes["
_LISTED = re.compile(r"spec\.inboxes\[(\d+)\]")


@dataclass(slots=True)
class World:
    """Objects by key, as the API server shows them. `refused` are manifests that it or the operator would refuse."""

    objects: dict[Key, Raw] = field(default_factory=dict)
    namespaces: dict[str, Raw] = field(default_factory=dict)
    before: dict[Key, Raw] = field(default_factory=dict)  # previous specs of objects that a manifest changed
    new: set[Key] = field(default_factory=set)  # objects that the manifests, or batches of them, make
    refused: list[tuple[Key, str, Problem]] = field(default_factory=list)  # with the address
    unreadable: dict[Key, str] = field(default_factory=dict)  # existing objects that cannot be read, and why

    def set_aside(self, raw: Any, error: Exception) -> None:
        """Record that the object cannot be read, which affects only this object (rule 38)."""
        kind, namespace, name = key_of(raw)
        self.unreadable.setdefault((kind, namespace, name), type(error).__name__)

    def note(self, key: Key, before: Raw | None) -> None:
        """An object was applied: keep its previous spec, or that it is new."""
        if before is None:
            self.new.add(key)
        else:
            self.before.setdefault(key, before.get("spec") or {})

    def of_kind(self, kind: str) -> Iterator[Raw]:
        yield from [raw for key, raw in self.objects.items() if key[0] == kind]


def world_of(items: Iterable[Raw]) -> World:
    """The world of a list of objects; other kinds are ignored."""
    world = World()
    for raw in items:
        if raw.get("kind") == "Namespace":
            world.namespaces[str(raw["metadata"]["name"])] = raw
        elif raw.get("kind") in KINDS:
            if _is_whole(raw.get("metadata")):
                world.objects[key_of(raw)] = raw
            else:
                world.set_aside(raw, ValueError())
    return world


def _is_whole(metadata: Any) -> bool:
    """Whether the metadata are those of an object that an API server has stored."""
    if not isinstance(metadata, dict):
        return False
    texts = (metadata.get(name) for name in ("uid", "name", "namespace"))
    maps = (metadata.get(name) or {} for name in ("labels", "annotations"))
    lists = (metadata.get(name) or [] for name in ("finalizers", "ownerReferences"))
    return (
        all(isinstance(text, str) and text for text in texts)
        and all(isinstance(each, dict) for each in maps)
        and all(isinstance(each, list) for each in lists)
    )


def apply(world: World, documents: Iterable[Document], namespace: str, now: float) -> set[Key]:
    """Apply the manifests to the objects of the same name. Returns their keys."""
    named: set[Key] = set()
    for document in documents:
        manifest = document.manifest
        kind, own, name = key_of(manifest)
        if prefix := generate_name(manifest):
            name = f"{prefix}{len(named):05}"  # different from all others, as that of the API server will be
        key = (kind, own or namespace, name)
        named.add(key)
        before = world.objects.get(key)
        found = [*problems(manifest), *(_identity(before, manifest) if before is not None else ())]
        world.refused += [(key, _address(manifest, problem), problem) for problem in found]
        if all(problem.field.startswith(_OF_INBOX) for problem in found):  # one bad inbox of a list costs itself alone
            world.objects[key] = applied(before, manifest, key, len(named), now)
            world.note(key, before)
    return named


def apply_namespaces(world: World, documents: Iterable[Document]) -> None:
    """Apply the Namespaces among the manifests: their annotations are defaults and approvals."""
    for document in documents:
        name, metadata = key_of(document.manifest)[2], document.manifest.get("metadata")
        if name and isinstance(metadata, Mapping):
            old = (world.namespaces.get(name) or {}).get("metadata") or {}
            annotations = {**(old.get("annotations") or {}), **(metadata.get("annotations") or {})}
            world.namespaces[name] = {"metadata": {**old, "name": name, "annotations": annotations}}


def _address(manifest: Manifest, problem: Problem) -> str:
    """The address of the inbox that the problem refers to; empty if there is none."""
    spec = manifest.get("spec")
    place = spec if isinstance(spec, Mapping) else {}
    if found := _LISTED.match(problem.field):
        inboxes, number = place.get("inboxes"), int(found[1])
        place = inboxes[number] if isinstance(inboxes, list) and number < len(inboxes) else {}
    address = place.get("emailAddress") if isinstance(place, Mapping) else None
    return address if isinstance(address, str) else ""


def applied(before: Raw | None, manifest: Mapping[str, Any], key: Key, number: int, now: float) -> Raw:
    """The object after the manifest was applied, with the previous status and metadata."""
    kind, namespace, name = key
    given = manifest["metadata"]
    old: Raw = {} if before is None else before["metadata"]
    changed = before is not None and before.get("spec") != manifest.get("spec")
    metadata = {
        "uid": f"zz {number:06} {kind} {namespace}/{name}",  # of one second, the first that is applied is the older one
        "generation": 1,
        "creationTimestamp": rfc3339(now),
        **old,
        "namespace": namespace,
        "name": name,
        "labels": {**(old.get("labels") or {}), **(given.get("labels") or {})},
        "annotations": {**(old.get("annotations") or {}), **(given.get("annotations") or {})},
    }
    if "ownerReferences" in given:
        metadata["ownerReferences"] = given["ownerReferences"]
    metadata["generation"] += changed
    return {**(before or {}), "kind": kind, "metadata": metadata, "spec": manifest.get("spec")}


def delete(world: World, key: Key, now: float) -> None:
    """`kubectl delete`: an object without finalizers is gone at once."""
    raw = world.objects[key]
    metadata = raw["metadata"]
    if metadata.get("deletionTimestamp") is not None:
        return
    children = key[0] == BATCH_KIND  # a batch keeps its finalizer as long as it has children
    if not metadata.get("finalizers") and not children:
        del world.objects[key]
        return
    finalizers = metadata.get("finalizers") or [FINALIZER]
    metadata = {**metadata, "deletionTimestamp": rfc3339(now), "finalizers": finalizers}
    world.objects[key] = {**raw, "metadata": metadata}


def prune(world: World, named: set[Key], selector: str, namespaces: frozenset[str] | None, now: float) -> None:
    """Delete selected objects that no manifest contains, as Argo CD does; owned objects follow their owners."""
    chooses = Selector(selector)
    for key, raw in list(world.objects.items()):
        metadata = raw["metadata"]
        if key in named or (namespaces is not None and key[1] not in namespaces) or metadata.get("ownerReferences"):
            continue
        if chooses(metadata.get("labels") or {}):
            delete(world, key, now)


def _identity(before: Raw, manifest: Manifest) -> Iterator[Problem]:
    """Why the API server refuses a change: address and type are immutable."""
    old, new = before.get("spec"), manifest.get("spec")
    path = "spec"
    if manifest.get("kind") == BATCH_KIND:
        old, new, path = _template(old), _template(new), "spec.template"
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return
    for name in _IDENTITY:
        if old.get(name) != new.get(name):
            message = "cannot be changed, as it makes another inbox; delete the object and create another"
            yield Problem(f"{path}.{name}", message)


def _template(spec: Any) -> Any:
    return spec.get("template") if isinstance(spec, Mapping) else None
