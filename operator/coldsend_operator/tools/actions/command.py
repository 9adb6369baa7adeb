"""The steps of all actions: choose the objects, show them, ask, and set what the action sets."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.stored_status import account_status
from coldsend_operator.core.model.times import rfc3339
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Unreachable
from coldsend_operator.kube.paths import Ref
from coldsend_operator.resources.names import (
    ACCOUNT_KIND,
    APPROVE_DELETION_ANNOTATION,
    APPROVE_RECREATION_ANNOTATION,
    BATCH_KIND,
    FORCE_ORPHAN_ANNOTATION,
    HAND_OVER_ANNOTATION,
    PAUSED_ANNOTATION,
    RECONCILE_ANNOTATION,
)
from coldsend_operator.tools.cluster import find_object, objects
from coldsend_operator.tools.editing import change, kube_editor
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.names import object_of
from coldsend_operator.tools.options import Access, Choice
from coldsend_operator.tools.output import confirm, counted, few, remark, write_lines
from coldsend_operator.tools.selectors import Selector
from coldsend_operator.tools.senders import read_sender
from coldsend_operator.tools.terminal import Progress

Raw = dict[str, Any]
Patch = dict[str, Any]
POLL = 1.0

ANNOTATIONS: dict[str, tuple[str, str | None]] = {
    "pause": (PAUSED_ANNOTATION, "true"),
    "resume": (PAUSED_ANNOTATION, None),
    "approve-deletion": (APPROVE_DELETION_ANNOTATION, "true"),
    "approve-recreation": (APPROVE_RECREATION_ANNOTATION, "true"),
    "force-orphan": (FORCE_ORPHAN_ANNOTATION, "true"),
}
FOR_DELETIONS = frozenset({"approve-deletion", "force-orphan"})
FOR_ACCOUNTS_ALONE = frozenset({"reconcile", "hand-over", "test-email"})


@dataclass(frozen=True, slots=True)
class ActionOptions:
    """The options of an action. `value`: the successor for hand-over, or the recipient for test-email."""

    access: Access
    action: str
    namespace: str
    objects: Choice
    value: str = ""
    wait: float | None = None  # seconds to wait for all objects; None: do not wait


async def run(options: ActionOptions) -> None:
    """Raises CommandError if an object could not be changed, or was not handled in time."""
    check(options)
    async with kube_editor(options.access) as kube:
        await act(kube, options)


async def act(kube: KubeClient, options: ActionOptions) -> None:
    """The same, with an open connection."""
    chosen = await _chosen(kube, options)
    if not chosen:
        raise CommandError("no object selected; nothing to do")
    write_lines(_line(raw) for raw in chosen)
    if options.objects.dry_run:
        remark(f"{options.action}: {_number(chosen)} would be changed")
        return
    _remark_alive(options.action, chosen)
    _ask(options, chosen)
    asked = f"{rfc3339(time.time())} {time.time_ns() % 1_000_000:06}"
    await _carry_out(kube, options, chosen, asked)
    if options.wait is not None:
        await _answered(kube, options, chosen, asked)


def patch_of(action: str, value: str, asked: str) -> Patch:
    """The merge patch of an action. `asked` is new each time."""
    if action == "test-email":
        return {"spec": {"testEmail": {"recipient": value, "requestID": asked}}}
    given = {"reconcile": (RECONCILE_ANNOTATION, asked), "hand-over": (HAND_OVER_ANNOTATION, value)}
    name, text = {**ANNOTATIONS, **given}[action]
    return {"metadata": {"annotations": {name: text}}}


def check(options: ActionOptions) -> None:
    """Raises UsageError without a selection of objects, or without a value."""
    given = [bool(options.objects.names), bool(options.objects.selector), options.objects.everything]
    if sum(given) != 1:
        raise UsageError("select objects: give names, or -l SELECTOR, or --all")
    if options.action in {"hand-over", "test-email"} and len(options.objects.names or ()) != 1:
        raise UsageError(f"{options.action} works on one object; give its name")
    if options.action == "test-email" and not options.value:
        raise UsageError("test-email needs the recipient; give --to ADDRESS")
    namespace, _, name = options.value.partition("/")
    if options.action == "hand-over" and (not namespace or not name or "/" in name):
        raise UsageError("--to takes <namespace>/<name> of the SenderAccount that takes over the inbox")


async def _chosen(kube: KubeClient, options: ActionOptions) -> list[Raw]:
    if options.objects.names:
        named = [await _named(kube, options, text) for text in options.objects.names]
        return list({raw["metadata"]["uid"]: raw for raw in named}.values())  # `ann` and `sender/ann` are one
    found = [{**raw, "kind": ACCOUNT_KIND} for raw in await objects(kube, ACCOUNT_KIND, options.namespace)]
    if options.objects.everything:
        return found
    chooses = Selector(options.objects.selector)
    return [raw for raw in found if chooses(raw["metadata"].get("labels") or {})]


async def _named(kube: KubeClient, options: ActionOptions, text: str) -> Raw:
    kind, name = object_of(text)
    if kind == BATCH_KIND and options.action in FOR_ACCOUNTS_ALONE:
        raise UsageError(f"{options.action} works on SenderAccounts; {text} is a batch")
    raw = await find_object(kube, kind, options.namespace, name)
    if raw is None:
        raise CommandError(f"{kind} {options.namespace}/{name} does not exist")
    return {**raw, "kind": kind}


def _remark_alive(action: str, chosen: Sequence[Raw]) -> None:
    """The annotation stays on an object that nobody deletes now, and works when somebody does."""
    alive = [
        str(raw["metadata"]["name"])
        for raw in chosen
        if raw["kind"] == ACCOUNT_KIND
        and raw["metadata"].get("deletionTimestamp") is None
        and not read_sender(raw).says(Reason.DELETION_HELD)  # a replacement is held as well
    ]
    if action in FOR_DELETIONS and alive:
        remark(
            f"Note: {action} takes effect when the objects are deleted; these are not being deleted now: {few(alive)}"
        )


def _line(raw: Mapping[str, Any]) -> str:
    metadata, spec = raw["metadata"], raw.get("spec")
    address = spec.get("emailAddress") if isinstance(spec, Mapping) else None
    address = address or account_status(raw.get("status")).get("emailAddress", "")
    return f"{raw['kind']} {metadata['namespace']}/{metadata['name']} {address}".rstrip()


def _number(chosen: Sequence[Raw]) -> str:
    return counted(len(chosen), "object", "objects")


def _ask(options: ActionOptions, chosen: Sequence[Raw]) -> None:
    if options.objects.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{options.action} of {_number(chosen)} needs confirmation; give --yes")
    confirm(f"{options.action} {_number(chosen)}?")


async def _carry_out(kube: KubeClient, options: ActionOptions, chosen: Sequence[Raw], asked: str) -> None:
    patch = patch_of(options.action, options.value, asked)
    refused: list[str] = []
    with Progress("objects") as progress:
        for position, raw in enumerate(chosen, start=1):
            problem = await change(kube, _ref(raw), patch)
            refused += [] if problem is None else [problem]
            progress.show(position, len(chosen))
    for problem in refused:
        remark(problem)
    if refused:
        raise CommandError(f"{options.action}: {len(refused)} of {_number(chosen)} could not be changed")
    remark(f"{options.action}: {_number(chosen)} changed")


async def _answered(kube: KubeClient, options: ActionOptions, chosen: Sequence[Raw], asked: str) -> None:
    """Wait until status.lastReconcileRequest of each object shows the request."""
    waiting = {raw["metadata"]["name"]: "" for raw in chosen}
    until = time.monotonic() + (options.wait or 0.0)
    while waiting:
        with suppress(Unreachable):  # the API server may restart meanwhile
            for name in sorted(waiting):
                raw = await find_object(kube, ACCOUNT_KIND, options.namespace, name)
                if raw is None or account_status(raw.get("status")).get("lastReconcileRequest") == asked:
                    del waiting[name]
                elif read_sender(raw).says(Reason.RECONCILIATION_PAUSED):
                    waiting[name] = ", which is paused"
        if waiting and time.monotonic() > until:
            late = few([f"{name}{why}" for name, why in sorted(waiting.items())])
            raise CommandError(f"{len(waiting)} of {_number(chosen)} not reconciled in time: {late}")
        if waiting:
            await asyncio.sleep(POLL)


def _ref(raw: Raw) -> Ref:
    metadata = raw["metadata"]
    return Ref(raw["kind"], metadata["namespace"], metadata["name"], metadata["uid"])
