"""The middleware of the public API: limits, keys, scopes, faults, headers, log."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldsend_emulator import operations
from coldsend_emulator.answers import Call
from coldsend_emulator.connections import Client, Connections
from coldsend_emulator.faults import Fault, RequestFacts
from coldsend_emulator.keys import Key, required_scope
from coldsend_emulator.limits import Pool
from coldsend_emulator.refusals import Refusal, forbidden, unauthorized
from coldsend_emulator.request_log import LogEntry, items_of
from coldsend_emulator.switches import Switches
from coldsend_emulator.world import World

CONTROL_PREFIX = "/_emulator"


class CutError(Exception):
    """Cut the connection instead of responding."""


@dataclass(slots=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False

    @classmethod
    def of(cls, refusal: Refusal) -> "Answer":
        headers = {"content-type": "application/json", **refusal.headers}
        return cls(refusal.status, json.dumps(refusal.body()).encode(), headers)


_NOTHING_DONE = Answer(200, b'{"success": true}', {"content-type": "application/json"})


@dataclass(slots=True)
class Visit:
    """One request in the gate."""

    scope: Scope
    receive: Receive
    body: bytes
    client: Client
    operation: operations.Operation | None
    key: Key | None
    pool: Pool
    fault: Fault | None = None

    @property
    def facts(self) -> RequestFacts:
        name = self.operation.name if self.operation else "unknown"
        workspace = self.key.workspace if self.key else None
        return RequestFacts(name, self.scope["method"], self.scope["path"], workspace, self.body)


class Gate:
    def __init__(self, app: ASGIApp, world: World, connections: Connections) -> None:
        self._app = app
        self._world = world
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["world"] = self._world
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PREFIX):
            self._world.settle()
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        visit = self._meet(scope, receive, await _read_body(receive))
        self._world.log.arrived(visit.pool.name, visit.client, self._world.clock.now())
        status: int | None = None
        try:
            answer = await self._handle(visit)
            status = answer.status
            self._log(visit, status, started)
            await self._send(visit, answer, send)
        except CutError:
            self._log(visit, None, started)
            self._connections.cut(visit.client)
            await receive()

    def _meet(self, scope: Scope, receive: Receive, body: bytes) -> Visit:
        secret = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-api-key"), None)
        key = self._world.keys.find(secret)
        client = scope.get("client") or ("unknown", 0)
        pool = self._world.limiter.pool(key.workspace if key else None, key.name if key else None, client[0])
        operation = operations.find(scope["method"], scope["path"])
        return Visit(scope, receive, body, (client[0], client[1]), operation, key, pool)

    async def _handle(self, visit: Visit) -> Answer:
        """Raises CutError if a fault cuts the connection."""
        refusal = self._world.limiter.admit(visit.pool)
        if refusal:
            return Answer.of(refusal)
        visit.fault = await self._world.faults.take(visit.facts)
        if visit.fault and visit.fault.when == "before" and await self._spoils(visit.fault):
            return _spoilt(visit.fault, _NOTHING_DONE)
        self._world.settle()
        refusal = self._refusal(visit)
        answer = Answer.of(refusal) if refusal else await self._work(visit)
        if visit.fault and visit.fault.when == "after" and await self._spoils(visit.fault):
            return _spoilt(visit.fault, answer)
        return answer

    def _refusal(self, visit: Visit) -> Refusal | None:
        if visit.key is None or visit.key.revoked:
            return unauthorized()
        if visit.operation is None:
            return None
        scope = required_scope(visit.operation, self._switches(visit))
        if not visit.key.allows(scope):
            return forbidden([scope or ""], list(visit.key.scopes))
        if len(visit.body) > self._switches(visit).amount("body_limit_bytes"):
            return Refusal(413, "Request body too large")
        return None

    def _switches(self, visit: Visit) -> Switches:
        return self._world.switches_of(visit.pool.workspace)

    async def _work(self, visit: Visit) -> Answer:
        if visit.key:
            workspace = self._world.workspace(visit.key.workspace)
            visit.scope["call"] = Call(self._world, workspace, visit.key, visit.facts.operation)
        messages: list[Message] = []

        async def replay() -> Message:
            return {"type": "http.request", "body": visit.body, "more_body": False}

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(visit.scope, replay, collect)
        headers = {name.decode(): value.decode("latin-1") for name, value in messages[0].get("headers", [])}
        headers.pop("content-length", None)
        return Answer(messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:]), headers)

    async def _spoils(self, fault: Fault) -> bool:
        """Apply the fault. Returns whether it spoils the response; raises CutError to cut the connection."""
        match fault.kind:
            case "delay":
                await asyncio.sleep(fault.seconds)
                return False
            case "pause":
                await self._world.faults.hold(fault)
                return False
            case "cut":
                raise CutError
            case _:
                return True

    async def _send(self, visit: Visit, answer: Answer, send: Send) -> None:
        extra = {"date": formatdate(self._world.clock.wall(), usegmt=True), **self._world.limiter.headers(visit.pool)}
        if self._switches(visit).choice("request_id") == "given":
            extra["x-request-id"] = str(uuid.uuid4())
        headers = {**extra, **answer.headers}
        if answer.status not in {204, 304}:
            headers["content-length"] = str(len(answer.body))
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if answer.truncated:
            await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
            self._connections.finish(visit.client)
            await visit.receive()
            return
        await send({"type": "http.response.body", "body": answer.body})

    def _log(self, visit: Visit, status: int | None, started: float) -> None:
        facts = visit.facts
        entry = LogEntry(
            at=self._world.clock.wall(),
            operation=facts.operation,
            method=facts.method,
            path=facts.path,
            query=visit.scope["query_string"].decode("latin-1"),
            status=status,
            workspace=facts.workspace,
            key=visit.key.name if visit.key else None,
            seconds=time.monotonic() - started,
            fault=visit.fault.fault_id if visit.fault else None,
            items=items_of(facts.method, facts.path, visit.body),
        )
        self._world.log.answered(entry)


def _spoilt(fault: Fault, answer: Answer) -> Answer:
    if fault.kind == "truncated":
        return Answer(answer.status, answer.body, answer.headers, truncated=True)
    if fault.kind == "not_json":
        body = fault.body if isinstance(fault.body, str) else "<html><body>Bad gateway</body></html>"
        return Answer(answer.status, body.encode(), {"content-type": "text/html", **fault.headers})
    if isinstance(fault.body, str):
        return Answer(fault.status, fault.body.encode(), {"content-type": "text/plain", **fault.headers})
    told = {"detail": "The platform has a problem"} if fault.body is None else fault.body
    return Answer(fault.status, json.dumps(told).encode(), {"content-type": "application/json", **fault.headers})


async def _read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
