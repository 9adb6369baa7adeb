"""The steps of `status` and `tree`, in order."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from coldsend_operator.accounts.policy import policy_of
from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.resources.names import ACCOUNT_KIND, BATCH_KIND
from coldsend_operator.tools.clients import kube_reader, settings_of
from coldsend_operator.tools.cluster import find_object, objects, operator_state
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.names import object_of
from coldsend_operator.tools.options import Access
from coldsend_operator.tools.output import Color, remark, write_json, write_lines, write_table
from coldsend_operator.tools.senders import read_sender
from coldsend_operator.tools.status.overview import (
    BatchLine,
    ReasonLine,
    WorkspaceLine,
    batch_lines,
    reason_lines,
    workspace_lines,
)
from coldsend_operator.tools.status.reported import frozen, report_lines, reported
from coldsend_operator.tools.terminal import LiveView

REDRAW = 2.0
_WORKSPACES = ("WORKSPACE", "KEY", "INBOXES", "READY", "CREATING", "JOBS", "HELD", "MINUTE LEFT", "HOUR LEFT")
_BATCHES = ("BATCH", "PROGRESS", "READY", "FAILED", "DONE AT", "REASON")
_REASONS = ("REASON", "OBJECTS", "MESSAGE")
_TREE = ("OBJECT", "ADDRESS", "READY", "REASON")


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """The options of `status`. `name` is that of a batch or an account; `namespace` None: all."""

    access: Access
    namespace: str | None
    name: str
    watch: bool
    output: str
    color: Color


@dataclass(frozen=True, slots=True)
class Overview:
    """All that `status` shows at one time."""

    workspaces: list[WorkspaceLine]
    batches: list[BatchLine]
    reasons: list[ReasonLine]
    state: dict[str, Any]  # of the operator's ConfigMap, by its keys


async def run_status(options: StatusOptions) -> None:
    """Show the status once, or repeatedly until Ctrl-C."""
    if options.watch and options.output == "json":
        raise UsageError("-w draws on a terminal; leave out -o json")
    async with kube_reader(options.access) as kube:
        if not options.watch:
            _show(await _overview(kube, options), options)
            return
        with LiveView() as view:
            await _keep_drawing(view, kube, options)


async def _keep_drawing(view: LiveView, kube: KubeReads, options: StatusOptions) -> None:
    """Refresh until Ctrl-C; the first line shows if the cluster does not answer."""
    overview, trouble = await _overview(kube, options), ""
    while True:
        head = f"{time.strftime('%H:%M:%S')}  press Ctrl-C to end{trouble}"
        view.draw(partial(_show, overview, options), head)
        await asyncio.sleep(REDRAW)
        try:
            overview, trouble = await _overview(kube, options), ""
        except KubeError as error:
            trouble = f"  {error.message}; showing the last state"


async def _overview(kube: KubeReads, options: StatusOptions) -> Overview:
    accounts: list[dict[str, Any]] = await objects(kube, ACCOUNT_KIND, options.namespace)
    batches = await objects(kube, BATCH_KIND, options.namespace)
    if options.name:
        kind, name = object_of(options.name)
        exact = kind if "/" in options.name else ""  # a name alone is that of a batch or of an account
        batches = [raw for raw in batches if raw["metadata"]["name"] == name and exact != ACCOUNT_KIND]
        accounts = [raw for raw in accounts if _belongs(raw, name, exact)]
        if not accounts and not batches:
            raise CommandError(f"there is no SenderAccount or SenderAccountBatch {options.name} here")
    settings = settings_of(options.access)
    place, state = await operator_state(kube, settings)
    if state is None and not options.watch:
        remark(f"The operator's state (ConfigMap {place}) cannot be read, so its budget is not shown")
    lines = workspace_lines(accounts, state or {}, policy_of(settings), time.time())
    return Overview(lines, batch_lines(batches), reason_lines(map(read_sender, accounts)), state or {})


def _belongs(raw: dict[str, Any], name: str, exact: str) -> bool:
    """Whether it is the account of this name, or one of the batch of this name."""
    named, of_batch = raw["metadata"]["name"] == name, read_sender(raw).batch == name
    return (named and exact != BATCH_KIND) or (of_batch and exact != ACCOUNT_KIND)


def _show(overview: Overview, options: StatusOptions) -> None:
    if options.output == "json":
        told = asdict(overview)
        state = told.pop("state")
        report = reported(state)
        for line in told["workspaces"]:
            line["report"] = report.get(line["workspace"])
        write_json("Status", frozen=frozen(state), **told)
        return
    write_table(_WORKSPACES, (tuple(map(_cell, asdict(line).values())) for line in overview.workspaces), options.color)
    shown = frozenset(line.workspace for line in overview.workspaces)
    write_lines(report_lines(overview.state, shown, time.time()))
    if overview.batches:
        write_lines([""])
        write_table(_BATCHES, (_batch_cells(line) for line in overview.batches), options.color)
        write_lines(_failures(overview.batches))
    if overview.reasons:
        write_lines([""])
        reasons = ((line.reason, str(line.count), line.message) for line in overview.reasons)
        write_table(_REASONS, reasons, options.color)


def _batch_cells(line: BatchLine) -> tuple[str, ...]:
    ready = f"{line.ready}/{line.total}"
    return (f"{line.namespace}/{line.name}", line.bar, ready, str(line.failed), line.done_at or "-", line.reason)


def _failures(batches: list[BatchLine]) -> Iterator[str]:
    for line in batches:
        for address, reason, message in line.failures:
            yield f"  {line.namespace}/{line.name}: {address}: {reason}: {message}"


def _cell(value: object) -> str:
    return "-" if value is None else str(value)


async def run_tree(access: Access, namespace: str, text: str, color: Color) -> None:
    """The batch, and below it its SenderAccounts."""
    kind, name = object_of(text)
    if kind != BATCH_KIND:
        raise UsageError(f"tree shows a batch and its SenderAccounts; give senderbatch/{name}")
    async with kube_reader(access) as kube:
        raw = await find_object(kube, kind, namespace, name)
        if raw is None:
            raise CommandError(f"SenderAccountBatch {namespace}/{name} does not exist")
        uid = raw["metadata"]["uid"]
        children = [
            read_sender(each)
            for each in await objects(kube, ACCOUNT_KIND, namespace)
            if any(owner.get("uid") == uid for owner in each["metadata"].get("ownerReferences") or ())
        ]
    batch = batch_lines([raw])[0]
    rows = [(f"SenderAccountBatch/{name}", "", f"{batch.ready}/{batch.total}", batch.reason)]
    for position, each in enumerate(sorted(children, key=lambda each: (each.ready, each.name)), start=1):
        branch = "└─" if position == len(children) else "├─"
        rows.append((f"{branch}SenderAccount/{each.name}", each.address, str(each.ready), each.reason))
    write_table(_TREE, rows, color)
