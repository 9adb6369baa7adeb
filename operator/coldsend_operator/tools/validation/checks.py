"""Validates one manifest against the schema and rules of the CRD and of the operator.

CEL itself is not run: each rule of the CRD is in `resources` in both languages, and tests compare them on a
real API server.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from coldsend_operator.kube.paths import KINDS
from coldsend_operator.resources import children, names
from coldsend_operator.resources.batch_rules import NAME_RULE
from coldsend_operator.resources.crd import account_crd, batch_crd
from coldsend_operator.resources.reading import broken, read_account, read_batch
from coldsend_operator.tools.manifests import Manifest

MAX_STORED = 1_572_864  # the size limit of etcd for one object
MAX_NAME = 253
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field (a path such as `spec.dailyLimit`), and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def problems(manifest: Manifest) -> tuple[Problem, ...]:
    """Why the API server or the operator would refuse the manifest; empty if neither would."""
    kind = manifest.get("kind")
    if manifest.get("apiVersion") != names.API_VERSION:
        return (Problem("apiVersion", f"must be {names.API_VERSION}; correct it"),)
    if kind not in KINDS:
        return (Problem("kind", f"must be {names.ACCOUNT_KIND} or {names.BATCH_KIND}; correct it"),)
    found = [*_of_metadata(manifest), *_unknown_fields(manifest, _schema(kind), "")]
    if manifest.get("spec") is None:
        found.append(Problem("spec", "is required; add it"))
    else:
        of_spec = _of_account if kind == names.ACCOUNT_KIND else _of_batch
        found += of_spec(manifest["spec"])
    if len(json.dumps(manifest, ensure_ascii=False, default=str).encode()) > MAX_STORED:
        found.append(Problem("spec", "makes the object larger than 1.5 MiB, which etcd does not take; split it"))
    return tuple(dict.fromkeys(found))


def _of_metadata(manifest: Manifest) -> Iterator[Problem]:
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if name is None and isinstance(metadata, Mapping) and metadata.get("generateName"):
        return
    if not isinstance(name, str) or not name:
        yield Problem("metadata.name", "is required; add it")
    elif not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        yield Problem("metadata.name", "must be lower case letters, digits, hyphens and dots, at most 253; correct it")
    elif manifest["kind"] == names.BATCH_KIND and len(name) > children.MAX_NAME:
        yield Problem("metadata.name", NAME_RULE.message)


def _of_account(spec: Any) -> Iterator[Problem]:
    yield from map(_problem, read_account(spec).problems)


def _of_batch(spec: Any) -> Iterator[Problem]:
    reading = read_batch(spec)
    found = list(map(_problem, reading.problems))
    if reading.spec is not None:
        template = reading.spec.template
        found += map(_problem, broken(template.rules, template, "spec.template"))
        if template.native is not None:
            found += map(_problem, broken(template.native.rules, template.native, "spec.template.native"))
    yield from found
    told = tuple(problem.message for problem in found)
    for inbox in reading.inboxes:
        for sentence in inbox.problems:
            if not told or not sentence.endswith(told):  # a problem of the template is not one of each inbox
                yield _problem(sentence)


def _problem(sentence: str) -> Problem:
    """`spec.inboxes[3]: spec.smtp: is required` refers to `spec.inboxes[3]`."""
    field, _, message = sentence.partition(": ")
    return Problem(field, message)


@cache
def _schema(kind: str) -> dict[str, Any]:
    definition = account_crd() if kind == names.ACCOUNT_KIND else batch_crd()
    schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _unknown_fields(value: Any, schema: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Unknown fields: kubectl refuses them, and the API server would drop them."""
    known = schema.get("properties")
    if isinstance(value, Mapping) and known is not None:
        for field, inner in value.items():
            at = f"{path}.{field}" if path else str(field)
            if field in known:
                yield from _unknown_fields(inner, known[field], at)
            else:
                yield Problem(at, "is not a field of this kind; correct its spelling, or remove it")
    elif isinstance(value, list) and "items" in schema:
        for position, inner in enumerate(value):
            yield from _unknown_fields(inner, schema["items"], f"{path}[{position}]")
