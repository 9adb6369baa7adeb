"""kopf watches, and nothing else. Handlers pass events on and return; they write nothing.

kopf ends on some errors of a watch and would end all tasks of the process, so its tasks run here and are
restarted.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

import kopf

from coldsend_operator.kube.connection import CONNECT_SECONDS
from coldsend_operator.kube.throttle import Pauses
from coldsend_operator.kube.watches import IDLE_SECONDS
from coldsend_operator.logs import Event, Recurring, one_line
from coldsend_operator.process.operator import Operator
from coldsend_operator.resources.names import ACCOUNT_PLURAL, BATCH_PLURAL, GROUP, VERSION
from coldsend_operator.settings import Settings
from coldsend_operator.tasks import end

CHUNK = 50  # objects of a list page: with 1,000 accounts 500 cost 10 MB more than they save in time
IDLE_WORKER_SECONDS = 0.02  # lifetime of a kopf worker after its last event; 12 kB each in the first list
KOPF_SECONDS = 5.0  # in which kopf ends; what is left then is abandoned
LIST_SECONDS = 30.0
MAX_PAUSE = 30.0  # between two tries of a request that fails
STEADY_SECONDS = 60.0  # watches that lasted this long restart at once

# For peering, which is off: without it kopf asks for the user name, which a pod may lack.
IDENTITY: Any = "coldsend-operator"

# Loggers of kopf that are silenced: `Watches` and `_keep_watching` log failed requests and tasks once per cause.
LOGGED_HERE = ("kopf._cogs", "kopf._core.reactor")


def serve(settings: Settings) -> None:
    """Run the operator in the foreground until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(Operator(settings))
        tasks = [
            asyncio.create_task(work)
            for work in (
                operator.work(),
                operator.crds.run(),
                _keep_watching(operator, settings, stop),
                _until_signal(stop),
            )
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        working = tasks[0]
        working.cancel()
        await operator.stop()
    # all work is recorded, and the Lease is released
    end_process_after(KOPF_SECONDS, code=int(any(task.exception() for task in done)))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # kopf leaves a watcher behind when it is cancelled while it starts, as at a deleted CRD
    await end(asyncio.all_tasks() - {asyncio.current_task()})
    for task in done:
        task.result()


def end_process_after(seconds: float, code: int) -> None:
    """End the process even if its event loop does not end.

    A watcher of kopf suppresses every cancellation until its own tasks have ended, and waits for ever if these were
    cancelled before it.
    """
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


async def _until_signal(stop: asyncio.Event) -> None:
    _handle_signals(stop)
    await stop.wait()


def _handle_signals(stop: asyncio.Event) -> None:
    """Handle SIGTERM and SIGINT here: kopf installs its own handlers at each start."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _keep_watching(operator: Operator, settings: Settings, stop: asyncio.Event) -> None:
    """Watch while both CRDs exist; when a watch ends with an error, restart it after a growing pause."""
    for name in LOGGED_HERE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    trouble, pauses = Recurring(Event.WATCH_FAILED), Pauses()
    loop = asyncio.get_running_loop()
    await operator.crds.check_again()
    while True:
        await operator.crds.present()
        began = loop.time()
        operator.watches.starting()
        error = await _first(_watch(operator, settings, stop), _both_kinds_watched(operator), operator.crds.absent())
        if error is not None:
            await operator.crds.check_again()  # the message may suffice
        if operator.crds.missing:
            operator.watches.forget()
        elif error is not None:
            trouble.failed(f"the watches ended with an error and are restarted: {one_line(error)}")
        if loop.time() - began > STEADY_SECONDS:
            trouble.ended()
            pauses.reset()
        await asyncio.sleep(pauses.next())


async def _both_kinds_watched(operator: Operator) -> None:
    """Kopf discovers the kinds once: a kind that a lagging API server did not list is never watched.

    A list of many objects may take minutes before its watch opens, so one request for the kind suffices.
    """
    await asyncio.sleep(STEADY_SECONDS)
    if operator.watches.unwatched:
        raise RuntimeError(f"kopf does not watch {' and '.join(sorted(operator.watches.unwatched))}")
    await asyncio.Event().wait()


async def _first(*works: Coroutine[Any, Any, None]) -> Exception | None:
    """Run until one of them ends, cancel the others, and return the error of the first, if any."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = next(task for task in tasks if task.done())
        error = ended.exception()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return error if isinstance(error, Exception) else None


async def _watch(operator: Operator, settings: Settings, stop: asyncio.Event) -> None:
    """Run kopf until one of its tasks ends, which only happens on an error."""
    tasks = await kopf.spawn_tasks(
        registry=registry_of(operator),
        settings=kopf_settings(settings),
        identity=IDENTITY,
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
    )
    _handle_signals(stop)
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=KOPF_SECONDS)  # not longer: a restart of the watches cannot wait for ever
    for task in done:
        task.result()
    raise RuntimeError("kopf ended without an error")


def registry_of(operator: Operator) -> kopf.OperatorRegistry:
    """The handlers of both kinds, in a private registry, so that two operators in one process do not interfere."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> Any:
        return kopf.AiohttpSession(server=operator.watches.server, aiohttp_session=operator.watches.open_session())

    @kopf.on.event(GROUP, VERSION, ACCOUNT_PLURAL, registry=registry)
    async def account(type: str | None, event: Any, **_: Any) -> None:  # noqa: A002 - kopf passes it by this name
        await _read_what_it_depends_on(operator, type, event["object"])
        operator.cache_sync.account_event(type, event["object"])

    @kopf.on.event(GROUP, VERSION, BATCH_PLURAL, registry=registry)
    async def batch(type: str | None, event: Any, **_: Any) -> None:  # noqa: A002 - kopf passes it by this name
        await _read_what_it_depends_on(operator, type, event["object"])
        operator.cache_sync.batch_event(type, event["object"])

    return registry


async def _read_what_it_depends_on(operator: Operator, kind: str | None, raw: Any) -> None:
    """Read what may have changed just before an object was created, changed or deleted, before it is passed on.

    The annotations of its namespace may set its policies, and with its CRD nothing may be deleted (rule 31).
    """
    metadata = raw["metadata"]
    deleting = metadata.get("deletionTimestamp") is not None
    if deleting:
        await operator.crds.check_again()
    if deleting or (kind is not None and not _is_observed(raw)):
        await operator.namespaces.read_since(metadata["namespace"])


def _is_observed(raw: Any) -> bool:
    """Whether status refers to the current spec."""
    status = raw.get("status")
    return isinstance(status, Mapping) and status.get("observedGeneration") == raw["metadata"].get("generation")


def kopf_settings(settings: Settings) -> kopf.OperatorSettings:
    """Watch only: no Events by kopf, no scanning for CRDs and namespaces, no peering."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.diffbase_storage = _NoDiffBase()
    chosen.persistence.progress_storage = kopf.MultiProgressStorage([])  # no handler has progress to store
    chosen.persistence.finalizer = ""  # kopf removes its default one, which other operators of kopf may have set
    chosen.posting.enabled = False
    chosen.process.ultimate_exiting_timeout = None  # kopf must not end the process
    chosen.scanning.disabled = True
    chosen.watching.chunk_size = CHUNK
    chosen.watching.inactivity_timeout = IDLE_SECONDS
    chosen.networking.connect_timeout = CONNECT_SECONDS
    chosen.networking.request_timeout = LIST_SECONDS
    chosen.networking.error_backoffs = Pauses(longest=MAX_PAUSE)  # endless: only permanent errors end kopf
    chosen.queueing.idle_timeout = IDLE_WORKER_SECONDS
    if settings.label_selector:
        for plural in (ACCOUNT_PLURAL, BATCH_PLURAL):
            chosen.watching.label_selectors[GROUP, VERSION, plural] = settings.label_selector
    return chosen


class _NoDiffBase(kopf.DiffBaseStorage):
    """Compares nothing, as there are no change handlers: kopf's own copies each object three times per event."""

    def build(self, **_: Any) -> Any:
        return {}

    def fetch(self, **_: Any) -> Any:
        return None

    def store(self, **_: Any) -> None:
        """Stores nothing on the objects."""
