"""The steps of `validate`, in order."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coldsend_operator.resources import names
from coldsend_operator.tools.errors import CommandError
from coldsend_operator.tools.manifests import Document, Manifest, called, is_ours, key_of, mapping, read
from coldsend_operator.tools.output import Format, counted, remark, write_json, write_lines
from coldsend_operator.tools.validation.checks import Problem, problems


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and the object that has it."""

    document: Document
    problem: Problem

    def __str__(self) -> str:
        kind, namespace, _ = key_of(self.document.manifest)
        name = called(self.document.manifest)
        where = f"{namespace}/{name}" if namespace else name
        return f"{self.document.source}: {kind} {where}: {self.problem}"

    def to_json(self) -> dict[str, str]:
        kind, namespace, name = key_of(self.document.manifest)
        place = {"file": self.document.source, "kind": kind, "namespace": namespace, "name": name}
        return {**place, "field": self.problem.field, "message": self.problem.message}


def run(places: Sequence[str], output: Format) -> None:
    """Check every manifest of the two kinds; others are ignored."""
    documents = [document for document in read(places) if is_ours(document.manifest)]
    found = [Finding(document, problem) for document in documents for problem in problems(document.manifest)]
    mistakes = list(_likely_mistakes(documents))
    if output == "json":
        write_json(
            "Validation",
            valid=not found,
            objects=len(documents),
            problems=[finding.to_json() for finding in found],
            warnings=[finding.to_json() for finding in mistakes],
        )
    else:
        write_lines(map(str, found))
        for doubt in mistakes:
            remark(f"Warning: {doubt}")
    bad = len({id(finding.document) for finding in found})
    if bad:
        raise CommandError(f"{bad} of {counted(len(documents), 'object', 'objects')} would be refused; correct them")
    remark(f"{counted(len(documents), 'object', 'objects')}, none would be refused")


def _likely_mistakes(documents: Iterable[Document]) -> Iterator[Finding]:
    """Warnings about valid but likely unintended manifests: an object or an address that appears twice."""
    seen: dict[tuple[str, ...], Document] = {}
    for document in documents:
        key = key_of(document.manifest)
        first = seen.setdefault(key, document)
        if first is not document and key[2]:  # the API server makes different names
            yield Finding(document, Problem("metadata.name", f"is also in {first.source}; the last one counts"))
    holders: dict[tuple[str, ...], list[tuple[Document, str]]] = defaultdict(list)
    for document in documents:
        for field, address, workspace in _addresses(document.manifest):
            holders[address, *workspace].append((document, field))
    for (address, *_), places in holders.items():
        for document, field in places[1:]:
            message = (
                f"{address} is already in {called(places[0][0].manifest)}; one of the two would get AddressConflict"
            )
            yield Finding(document, Problem(field, message))


def _addresses(manifest: Manifest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Field, address and workspace of each inbox that is claimed. Objects of one key share a workspace."""
    spec, is_batch = mapping(manifest.get("spec")), manifest.get("kind") == names.BATCH_KIND
    shared = mapping(spec.get("template")) if is_batch else spec
    if shared.get("managementPolicy") == "Observe":
        return
    reference, native = shared.get("apiKeySecretRef"), mapping(shared.get("native"))
    workspace = (key_of(manifest)[1], str(reference)) if reference else ()
    domain = native.get("domainName") or native.get("domainID")
    rows = spec.get("inboxes") if is_batch else None
    inboxes = [("spec.", spec), ("spec.native.", native)]
    if is_batch:
        listed = rows if isinstance(rows, list) else ()
        inboxes = [(f"spec.inboxes[{position}].", mapping(inbox)) for position, inbox in enumerate(listed)]
    for path, inbox in inboxes:
        address, prefix = inbox.get("emailAddress"), inbox.get("emailPrefix")
        if isinstance(address, str):
            yield f"{path}emailAddress", address.lower(), workspace
        elif isinstance(prefix, str) and domain:
            yield f"{path}emailPrefix", f"{prefix}@{domain}".lower(), workspace
