"""The sources of the objects of a plan: the cluster, or a snapshot file."""

import asyncio
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from secrets import token_hex
from typing import Any

import yaml
from pydantic import SecretStr

from coldsend_operator.credentials.passwords import HMAC_KEY, HMAC_SECRET, Hmac, SecretReader
from coldsend_operator.kube.errors import Forbidden, KubeError, NotFound
from coldsend_operator.kube.paths import KINDS, namespace_path
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.secrets import SecretContent, read_manifest, read_secret
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.tools.clients import kube_reader, settings_of
from coldsend_operator.tools.cluster import objects, operator_state
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.files import read_bytes
from coldsend_operator.tools.manifests import Document, parse
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.plan.objects import Raw, World, world_of
from coldsend_operator.tools.secret_references import references

_BUILDERS = (("kubectl", "kustomize"), ("kustomize", "build"))
GivenSecrets = dict[tuple[str, str], SecretContent]


@dataclass(slots=True)
class Found:
    """The current objects, the operator's state by workspace, and what could not be read."""

    world: World
    state: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    secrets: SecretReader | None = None  # None: nobody could read any
    missing: set[str] = field(default_factory=set)  # namespaces of manifests that do not exist

    def forget_missing(self, made: Iterable[str]) -> None:
        """Remark on the missing namespaces, but for those that the manifests make."""
        for name in sorted(self.missing.difference(made)):
            self.remarks.append(f"namespace {name} does not exist: create it before these manifests")


def of_snapshot(path: Path) -> Found:
    """The objects of a file made by `kubectl get sender,senderbatch,ns -A -o json`."""
    try:
        loaded = json.loads(read_bytes(str(path)))
    except ValueError:
        raise CommandError(
            f"{path} is not JSON; create it with: kubectl get sender,senderbatch,ns -A -o json > {path}"
        ) from None
    items = loaded.get("items") if isinstance(loaded, dict) else None
    if not isinstance(items, list):
        raise CommandError(
            f"{path} holds no list of objects; create it with: kubectl get sender,senderbatch,ns -A -o json"
        )
    found = Found(world_of(item for item in items if isinstance(item, dict)))
    if not found.world.namespaces:
        found.remarks.append(
            "the snapshot holds no Namespaces: the plan ignores their annotations, such as a pause or a deletion policy"
        )
    return found


def given_secrets(documents: Iterable[Document], default_namespace: str) -> GivenSecrets:
    """The Secrets among the manifests, by namespace and name; one that SOPS has encrypted tells nothing."""
    found: GivenSecrets = {}
    for document in documents:
        manifest = document.manifest
        if not isinstance(manifest, dict) or manifest.get("kind") != "Secret" or "sops" in manifest:
            continue
        metadata = _placed(manifest, default_namespace)["metadata"]
        found[metadata["namespace"], str(metadata.get("name"))] = read_manifest(manifest)
    return found


async def of_cluster(
    access: Access,
    namespaces: frozenset[str] | None,
    documents: Iterable[Document],
    default_namespace: str,
    given: GivenSecrets,
) -> Found:
    """The objects of namespaces (None: of all), and the Secrets that they and the documents name.

    `given`: Secrets that the manifests bring along.
    """
    async with kube_reader(access) as kube:
        items: list[Raw] = []
        for kind in KINDS:
            for namespace in sorted(namespaces) if namespaces is not None else (None,):
                items += [{**raw, "kind": kind} for raw in await objects(kube, kind, namespace)]
        found = Found(world_of(items))
        manifests = [_placed(each.manifest, default_namespace) for each in documents]
        await _namespaces(kube, found, manifests)
        await _state(kube, access, found)
        await _secrets(kube, access, found, manifests, given)
    if namespaces is not None:
        which = ", ".join(sorted(namespaces))
        few = f"namespace {which} was" if len(namespaces) == 1 else f"namespaces {which} were"
        found.remarks.append(
            f"only {few} read: the plan ignores conflicts with other namespaces and their deletions in the deletion "
            "brake; use -A to read all"
        )
    return found


async def _namespaces(kube: KubeReads, found: Found, manifests: Iterable[Raw]) -> None:
    """Read the Namespaces of the objects and of the manifests."""
    named = {str(manifest["metadata"]["namespace"]) for manifest in manifests}
    names = sorted({namespace for _, namespace, _ in found.world.objects} | named)
    read = await asyncio.gather(*(kube.get(namespace_path(name)) for name in names), return_exceptions=True)
    for name, raw in zip(names, read, strict=True):
        if isinstance(raw, NotFound):
            found.missing.add(name)
        elif isinstance(raw, Forbidden):
            found.remarks.append(
                f"you may not read namespace {name}: the plan ignores its annotations, such as approvals"
            )
        elif isinstance(raw, BaseException):
            raise raw
        else:
            found.world.namespaces[name] = raw


async def _state(kube: KubeReads, access: Access, found: Found) -> None:
    place, state = await operator_state(kube, settings_of(access))
    if state is None:
        found.remarks.append(
            f"the operator's state (ConfigMap {place}) cannot be read: the plan assumes an unspent budget and no "
            "recent deletions"
        )
    else:
        found.state = state


def _placed(manifest: Any, default_namespace: str) -> Raw:
    """The manifest with its effective namespace."""
    metadata = manifest.get("metadata")
    given = metadata if isinstance(metadata, dict) else {}
    return {**manifest, "metadata": {**given, "namespace": given.get("namespace") or default_namespace}}


async def _secrets(
    kube: KubeReads, access: Access, found: Found, manifests: Iterable[Raw], given: GivenSecrets
) -> None:
    """Read the Secrets with passwords, and the key of the digests by which a changed one is seen."""
    raws = [*found.world.objects.values(), *manifests]
    wanted = references(
        (raw for raw in raws if raw.get("kind") == ACCOUNT_KIND),
        (raw for raw in raws if raw.get("kind") == BATCH_KIND),
        (),
    )
    places = {(each.namespace, each.name) for each in wanted if not each.is_api_key}
    if not places:
        return
    own = settings_of(access).lease_namespace
    try:
        content = await read_secret(kube, own, HMAC_SECRET)
    except KubeError:
        content = None
    key = content.values.get(HMAC_KEY) if content is not None else None
    if key is None:
        found.remarks.append(
            f"you may not read the key of the digests in status (Secret {own}/{HMAC_SECRET}): only status tells "
            "whether passwords changed"
        )

    async def read(namespace: str, name: str) -> SecretContent | None:
        """The Secret as the user may read it, with the values that the manifests give it."""
        values = given.get((namespace, name))
        try:
            present = await read_secret(kube, namespace, name)
        except KubeError:
            if values is None:
                raise
            return values
        if present is None or values is None:
            return present or values
        return replace(present, values={**present.values, **values.values})

    found.secrets = SecretReader(read, Hmac.of(key or SecretStr(token_hex(8))))
    await found.secrets.fetch_places(places)


def of_kustomize(folder: Path) -> list[Document]:
    """The manifests of a kustomization, rendered by the user's kubectl or kustomize."""
    for program in _BUILDERS:
        try:
            done = subprocess.run([*program, str(folder)], capture_output=True, check=False)  # noqa: S603 - the user names the folder
        except FileNotFoundError:
            continue
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise CommandError(f"{' '.join(program)} {folder} failed: {said[-1] if said else 'it says nothing'}")
        try:
            return parse(str(folder), done.stdout.decode("utf-8", errors="replace"))
        except yaml.YAMLError:
            raise CommandError(f"{' '.join(program)} {folder} gave no YAML") from None
    raise CommandError("-k needs kubectl or kustomize on the PATH; install one, or pass the rendered files with -f")
