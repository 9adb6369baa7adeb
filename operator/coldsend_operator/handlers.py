"""kopf: watches, starts and stops. Handlers hand over and return; they write nothing (kopf.md)."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from coldsend_operator.resources.names import ACCOUNT_PLURAL, BATCH_PLURAL, GROUP, VERSION
from coldsend_operator.settings import Settings
from coldsend_operator.workspace.operator import Operator

CHUNK = 50  # objects of a list page: with 1,000 accounts 500 cost 10 MB more than they save in time
IDLE_SECONDS = 0.02  # a worker of kopf lives so long after its object's last event: 12 kB each in a first list

# For peering, which is off. Without it kopf asks for the name of the user, and the user of a pod has none.
IDENTITY: Any = "coldsend-operator"


def serve(settings: Settings) -> None:
    """The operator, in the foreground, until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    started = asyncio.Event()
    async with AsyncExitStack() as stack:
        operator = await stack.enter_async_context(Operator(settings))
        watching = asyncio.create_task(_watch(operator, settings, started))
        working = asyncio.create_task(operator.work())
        stopping = asyncio.create_task(_signalled(started))
        done, _ = await asyncio.wait({watching, working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        stopping.cancel()
        await operator.stop()
    watching.cancel()  # after the Lease is given back: kopf takes its time to end
    await asyncio.gather(watching, working, stopping, return_exceptions=True)
    for task in done:
        task.result()


async def _watch(operator: Operator, settings: Settings, started: asyncio.Event) -> None:
    await kopf.operator(
        registry=registry_of(operator),
        settings=kopf_settings(settings),
        identity=IDENTITY,
        memories=_NoMemories(),
        standalone=True,
        clusterwide=not settings.namespaces,
        namespaces=settings.namespaces,
        ready_flag=started,
    )


async def _signalled(started: asyncio.Event) -> None:
    """Returns at SIGTERM or SIGINT.

    kopf takes the signals when it starts, and waits 5 s for tasks that it did not begin before it ends: too long for
    a successor that waits for the Lease. So they are taken back as soon as kopf has started.
    """
    told = asyncio.Event()
    await started.wait()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


def registry_of(operator: Operator) -> kopf.OperatorRegistry:
    """Handlers of both kinds; a private registry, so that two operators in one process do not meet."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> Any:
        return kopf.login_via_client(**kwargs)

    @kopf.on.event(GROUP, VERSION, ACCOUNT_PLURAL, registry=registry)
    async def account(type: str | None, event: Any, **_: Any) -> None:  # noqa: A002 - kopf passes it by this name
        operator.account_event(type, event["object"])

    @kopf.on.event(GROUP, VERSION, BATCH_PLURAL, registry=registry)
    async def batch(type: str | None, event: Any, **_: Any) -> None:  # noqa: A002 - kopf passes it by this name
        operator.batch_event(type, event["object"])

    return registry


def kopf_settings(settings: Settings) -> kopf.OperatorSettings:
    """Watch, and nothing else: no events of kopf's own, no scanning for CRDs and namespaces, no peering."""
    chosen = kopf.OperatorSettings()
    chosen.persistence.diffbase_storage = _NoDiffBase()
    chosen.persistence.progress_storage = _NoProgress()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.watching.chunk_size = CHUNK
    chosen.queueing.idle_timeout = IDLE_SECONDS
    if settings.label_selector:
        for plural in (ACCOUNT_PLURAL, BATCH_PLURAL):
            chosen.watching.label_selectors[GROUP, VERSION, plural] = settings.label_selector
    return chosen


class _NoMemories(ResourceMemories):
    """kopf keeps 900 bytes for each object, for daemons, indexes and retries; there are none of them here."""

    async def recall(self, raw_body: Any, **how: Any) -> ResourceMemory:
        return await super().recall(raw_body, **{**how, "ephemeral": True})


class _NoDiffBase(kopf.DiffBaseStorage):
    """There are no handlers of changes, so nothing is compared: kopf's own copies each object three times an event."""

    def build(self, *, body: Any, extra_fields: Any = None) -> Any:  # noqa: ARG002 - signature of kopf
        return {}

    def fetch(self, *, body: Any) -> Any:  # noqa: ARG002 - signature of kopf
        return None

    def store(self, *, body: Any, patch: Any, essence: Any) -> None:
        """Nothing is written on the objects."""


class _NoProgress(kopf.ProgressStorage):
    """There are no handlers that could be half done."""

    def fetch(self, *, key: Any, body: Any) -> Any:  # noqa: ARG002 - signature of kopf
        return None

    def store(self, *, key: Any, record: Any, body: Any, patch: Any) -> None:
        """Nothing is written on the objects."""

    def purge(self, *, key: Any, body: Any, patch: Any) -> None:
        """Nothing was written."""

    def touch(self, *, body: Any, patch: Any, value: Any) -> None:
        """Nothing is written on the objects."""

    def clear(self, *, essence: Any) -> Any:
        return essence
