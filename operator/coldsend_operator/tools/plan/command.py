"""The steps of `plan`, in order."""

import time
from dataclasses import dataclass
from pathlib import Path

from coldsend_operator.accounts.policy import policy_of
from coldsend_operator.coldsend.errors import CallFailed
from coldsend_operator.core.model.answers import Domain
from coldsend_operator.core.model.desired import KeyRef, SecretRef
from coldsend_operator.tools.clients import coldsend_reader, key_place, settings_of
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.listing import whole_list
from coldsend_operator.tools.manifests import Document, is_ours, key_of, read
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import Color
from coldsend_operator.tools.plan.decide import Manifests, decide
from coldsend_operator.tools.plan.report import failing
from coldsend_operator.tools.plan.sources import (
    Found,
    GivenSecrets,
    given_secrets,
    of_cluster,
    of_kustomize,
    of_snapshot,
)
from coldsend_operator.tools.plan.workspaces import ListedWorkspace
from coldsend_operator.tools.selectors import Selector

FAIL_ON = frozenset({"delete", "recreate", "hold", "conflict", "refuse"})
CHANGED, UNWANTED = 3, 4


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """The options of `plan`. `namespace` None: all; `default_namespace` is for manifests without one."""

    access: Access
    files: tuple[str, ...]
    kustomize: Path | None
    namespace: str | None
    default_namespace: str
    prune: bool
    selector: str
    live: bool
    snapshot: Path | None
    fail_on: frozenset[str]
    output: str
    color: Color


async def run(options: PlanOptions) -> int:
    """Show the plan. Returns the exit code."""
    _check(options)
    given = _documents(options)
    documents = [document for document in given if is_ours(document.manifest)]
    spaces = [document for document in given if _is_namespace(document)]
    covered = _covered(options, documents)
    found = await _found(options, covered, documents, given_secrets(given, options.default_namespace))
    found.forget_missing(key_of(each.manifest)[2] for each in spaces)
    if (options.files or options.kustomize is not None) and not documents:
        found.remarks.append("the manifests contain no SenderAccount and no SenderAccountBatch")
    manifests = Manifests(
        documents,
        namespace=options.default_namespace,
        selector=options.selector if options.prune else None,
        covered=covered,
        namespaces=spaces,
    )
    listed = await _listed(options) if options.live else None
    report = decide(found, manifests, policy_of(settings_of(options.access)), listed, float(int(time.time())))
    report.show(options.output, options.color)
    if failing(report.changes, options.fail_on):
        return UNWANTED
    return CHANGED if any(change.changes for change in report.changes) else 0


def read_fail_on(text: str) -> frozenset[str]:
    """Raises UsageError for an unknown word."""
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    unknown = sorted(words - FAIL_ON)
    if unknown:
        raise UsageError(f"--fail-on {', '.join(unknown)}: give some of {', '.join(sorted(FAIL_ON))}")
    return words


def _check(options: PlanOptions) -> None:
    if options.prune:
        if not options.files and options.kustomize is None:
            raise UsageError("--prune needs -f or -k with the objects to keep")
        if not options.selector.strip():
            raise UsageError("--prune needs -l SELECTOR, which selects the objects that these files contain in full")
        Selector(options.selector)
    elif options.selector:
        raise UsageError("-l and --prune go together; give both or neither")


def _documents(options: PlanOptions) -> list[Document]:
    documents = read(options.files)
    return documents if options.kustomize is None else [*documents, *of_kustomize(options.kustomize)]


def _is_namespace(document: Document) -> bool:
    return isinstance(document.manifest, dict) and document.manifest.get("kind") == "Namespace"


def _covered(options: PlanOptions, documents: list[Document]) -> frozenset[str] | None:
    """The namespace of the options and those that manifests name; None: all."""
    if options.namespace is None:
        return None
    return frozenset({options.namespace, *filter(None, (key_of(each.manifest)[1] for each in documents))})


async def _found(
    options: PlanOptions, covered: frozenset[str] | None, documents: list[Document], given: GivenSecrets
) -> Found:
    if options.snapshot is not None:
        return of_snapshot(options.snapshot)
    return await of_cluster(options.access, covered, documents, options.default_namespace, given)


async def _listed(options: PlanOptions) -> ListedWorkspace:
    place = key_place(options.access, options.default_namespace)
    key = KeyRef() if place is None else KeyRef(place[0], SecretRef(*place[1:]))
    async with coldsend_reader(options.access, options.default_namespace) as reader:
        listing = await whole_list(reader)
        if listing.missing:
            raise CommandError(f"The list is incomplete, so there is no plan: {listing.missing}")
        try:
            domains: tuple[Domain, ...] | None = await reader.list_domains()
        except CallFailed:
            domains = None
    return ListedWorkspace(key, listing.rows, domains)
