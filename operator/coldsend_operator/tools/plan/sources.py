"""Where the objects of a plan come from: the cluster, or a file that was made of it."""

import asyncio
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from coldsend_operator.kube.paths import Kind
from coldsend_operator.tools.doors import KubeReader, kube_reader
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.manifests import Document, parse
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.plan.objects import Raw, World, world_of

_BUILDERS = (("kubectl", "kustomize"), ("kustomize", "build"))
KINDS: tuple[Kind, ...] = ("SenderAccount", "SenderAccountBatch")


@dataclass(slots=True)
class Found:
    """The world as it is, the operator's state by workspace, and what could not be read."""

    world: World
    state: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def of_snapshot(path: Path) -> Found:
    """The objects of a file made by `kubectl get sender,senderbatch,ns -A -o json`."""
    try:
        loaded = json.loads(path.read_bytes())
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise CommandError(
            f"{path} is not JSON; make it by: kubectl get sender,senderbatch,ns -A -o json > {path}"
        ) from None
    items = loaded.get("items") if isinstance(loaded, dict) else None
    if not isinstance(items, list):
        raise CommandError(f"{path} holds no list of objects; make it by: kubectl get sender,senderbatch,ns -A -o json")
    return Found(world_of(item for item in items if isinstance(item, dict)))


async def of_cluster(access: Access, namespace: str | None) -> Found:
    """The objects of a namespace, or of all of them."""
    async with kube_reader(access) as kube:
        items: list[Raw] = []
        for kind in KINDS:
            items += [{**raw, "kind": kind} for raw in await kube.objects(kind, namespace)]
        found = Found(world_of(items))
        await _namespaces(kube, found)
        await _state(kube, access, found)
    if namespace is not None:
        found.remarks.append(
            f"only namespace {namespace} was read: conflicts with other namespaces, and what they count for the "
            "deletion brake, are not in this plan; -A reads all"
        )
    return found


async def _namespaces(kube: KubeReader, found: Found) -> None:
    names = sorted({namespace for _, namespace, _ in found.world.objects})
    read = await asyncio.gather(*(kube.namespace(name) for name in names))
    for name, raw in zip(names, read, strict=True):
        if raw is None:
            found.remarks.append(f"namespace {name} may not be read: approvals that stand on it are not in this plan")
        else:
            found.world.namespaces[name] = raw


async def _state(kube: KubeReader, access: Access, found: Found) -> None:
    place, texts = await kube.state(access)
    if texts is None:
        found.remarks.append(
            f"the operator's state (ConfigMap {place}) cannot be read: its budget counts as unspent, and what the "
            "deletion brake counted lately as nothing"
        )
        return
    for digest, text in texts.items():
        try:
            found.state[digest] = json.loads(text)
        except ValueError:
            continue


def of_kustomize(folder: Path) -> list[Document]:
    """What a kustomization gives, by the user's own kubectl or kustomize."""
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
    raise CommandError("-k needs kubectl or kustomize on the PATH; install one, or give the rendered files by -f")
