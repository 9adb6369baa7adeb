"""The connection to the API server: TLS, proxy and fresh credentials, for our own calls and for kopf's watches."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from yarl import URL

from coldsend_operator import __version__
from coldsend_operator.kube.errors import KubeError, Unreachable
from coldsend_operator.kube.login import Login, load_login
from coldsend_operator.logs import Event, Recurring
from coldsend_operator.tasks import Tasks

AGENT: Final = f"coldsend-operator/{__version__}"
CONNECTIONS: Final = 64
CONNECT_SECONDS: Final = 10.0
BUFFER: Final = 2**21  # objects of a watch may be larger than aiohttp's own

REREAD_SECONDS: Final = 60.0  # a token file may be replaced at any time; as other clients do
EARLY_SECONDS: Final = 60.0  # credentials are renewed this long before they expire, or in the last fifth of their life
LOGIN_SECONDS: Final = 5.0  # minimum time between two reads of the credentials
CLOSING_SECONDS: Final = 30.0  # time for running calls to end when a client certificate is replaced

# The API server reads an apply as YAML, which has no escape of two halves (an emoji in JSON) and would fold or refuse
# these characters as they are.
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")

Handler = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
Load = Callable[[], Awaitable[Login]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """The identity of the process: all calls share rotated credentials.

    Credentials are read again before they expire, and when the API server refuses them (`renew`).
    """

    def __init__(self, load: Load = load_login) -> None:
        self._load = load
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._renew_at = float("inf")
        self._login: Login | None = None
        self._tls: ssl.SSLContext | None = None  # of all sessions
        self._session: aiohttp.ClientSession | None = None
        self._closing = Tasks(operation="close_connections")
        self._trouble = Recurring(Event.CALL_FAILED, operation="read_credentials")

    async def open(self) -> None:
        """Raises NotConfigured if there is no cluster to connect to."""
        self._use(await self._load())
        self._read_at = float("-inf")  # the first refusal is reason enough to read them again
        self._session = self.open_session()

    async def close(self) -> None:
        self._closing.cancel()
        if self._session is not None:
            await self._session.close()

    @property
    def login(self) -> Login:
        if self._login is None:
            raise RuntimeError("the connection is not open")
        return self._login

    def open_session(self, *middlewares: Any, connections: int = CONNECTIONS) -> aiohttp.ClientSession:
        """A session with the API server that adds the current credentials to each request."""
        login = self.login
        if self._tls is None:
            self._tls = login.tls()
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ssl=self._tls),
            headers={"User-Agent": AGENT},
            middlewares=(*middlewares, self._authorize),
            proxy=login.configuration.proxy,
            trust_env=False,  # trust_env would read environment and .netrc at each request; the proxy is known
            read_bufsize=BUFFER,
        )

    async def exchange(
        self, method: str, target: str, headers: dict[str, str], body: Any, seconds: float
    ) -> HttpAnswer:
        """Raises Unreachable without a response."""
        if self._session is None:
            raise RuntimeError("the connection is not open")
        try:
            async with self._session.request(
                method,
                self.login.server + target,
                headers=headers,
                data=None if body is None else _json(body),
                timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds)),
                allow_redirects=False,
            ) as response:
                return HttpAnswer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, OSError) as error:  # a timeout is an OSError, too
            what = str(error) or "no response in time"
            path = target.partition("?")[0]
            raise Unreachable(f"{method} {path}: {what}", reason=type(error).__name__) from error

    async def refresh(self) -> None:
        """Read the credentials again if due."""
        if time.monotonic() >= self._renew_at and not self._reading.locked():
            async with self._reading:
                await self._reread()

    async def renew(self, asked: float) -> bool:
        """Whether the credentials are newer than those of a call refused at the monotonic time `asked`."""
        async with self._reading:
            if self._read_at >= asked:
                return True
            if asked - self._read_at < LOGIN_SECONDS:
                return False
            return await self._reread()

    async def _reread(self) -> bool:
        try:
            fresh = await self._load()
            moved = fresh.certificate != self.login.certificate
            tls = fresh.tls() if moved else self._tls
            trouble = (
                "the new credentials hold no token" if self.login.authorization and not fresh.authorization else ""
            )
        except (KubeError, OSError) as error:
            trouble = str(error)
        if trouble:
            self._trouble.failed(trouble)
            self._renew_at = time.monotonic() + LOGIN_SECONDS
            return False
        self._trouble.ended()
        self._tls = tls
        self._use(fresh)
        if moved and self._session is not None:  # open connections use the old certificate
            self._closing.start(_close_later(self._session))
            self._session = self.open_session()
        return True

    def _use(self, login: Login) -> None:
        known = self._login is not None and self._login.authorization == login.authorization
        self._login = login
        if self._tls is not None:
            login.trust(self._tls)
        self._read_at = time.monotonic()
        lasts = REREAD_SECONDS if login.rotates else float("inf")
        if login.expires is not None:
            left = login.expires - time.time()
            lasts = min(lasts, left - min(EARLY_SECONDS, left / 5))
        if known or lasts <= 0:  # no newer credentials yet
            lasts = max(lasts, LOGIN_SECONDS)
        self._renew_at = self._read_at + lasts

    async def _authorize(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await self.refresh()
        login = self.login
        if request.url.origin() == URL(login.server).origin():  # a redirect elsewhere gets no token
            if login.authorization:
                request.headers["Authorization"] = login.authorization
            for name, value in login.impersonation:
                request.headers.add(name, value)
            if login.configuration.tls_server_name:
                request.server_hostname = login.configuration.tls_server_name
        asked = time.monotonic()
        try:
            return await handler(request)
        except aiohttp.ClientConnectorCertificateError:
            await self.renew(asked)  # perhaps the cluster has another CA by now
            raise


async def _close_later(session: aiohttp.ClientSession) -> None:
    await asyncio.sleep(CLOSING_SECONDS)
    await session.close()


def _json(body: Any) -> bytes:
    text = json.dumps(body, ensure_ascii=False)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
