"""The read-only clients of the commands. The client that changes objects is in `editing`."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from coldsend_operator.coldsend.reads import ColdSendReads, OnAnswer, Reply
from coldsend_operator.coldsend.requests import Request
from coldsend_operator.core.model.answers import Domain, Page
from coldsend_operator.kube.connection import Connection, HttpAnswer
from coldsend_operator.kube.errors import KubeError, NotFound
from coldsend_operator.kube.login import load_login, namespace_of_context
from coldsend_operator.kube.reads import KubeReads
from coldsend_operator.kube.reviews import OTHER, SELF
from coldsend_operator.kube.secrets import read_secret
from coldsend_operator.logs import configure_logs, mask
from coldsend_operator.resources.common import SECRET_KEY, SECRET_NAME
from coldsend_operator.resources.names import API_KEY_KEY, INSTALL_CRDS
from coldsend_operator.resources.values import api_key_fault, api_key_of
from coldsend_operator.settings import SettingError, Settings, load_settings, own_namespace
from coldsend_operator.tools.allowance import Allowance
from coldsend_operator.tools.errors import CommandError, UsageError
from coldsend_operator.tools.files import read_text
from coldsend_operator.tools.options import Access

C = TypeVar("C", bound=KubeReads)
S = TypeVar("S", bound=ColdSendReads)

UNAUTHORIZED = 401


class ColdSendReader:
    """Reads lists of one workspace within the share that is left to people."""

    def __init__(self, client: ColdSendReads, allowance: Allowance) -> None:
        self._client = client
        self.allowance = allowance

    async def list_accounts(
        self, *, page: int, inbox_type: str | None = None, status: str | None = None, search: str | None = None
    ) -> Page:
        """A page of up to 100 rows, sorted by address."""
        await self.allowance.take()
        return await self._client.list_accounts(page=page, inbox_type=inbox_type, status=status, search=search)

    async def reply_to(self, request: Request) -> Reply:
        """The raw response, whatever its status. Raises CallFailed without one."""
        await self.allowance.take()
        return await self._client.reply_to(request)

    async def list_domains(self) -> tuple[Domain, ...]:
        """All domains of the workspace."""
        found: list[Domain] = []
        page = 1
        while True:
            await self.allowance.take()
            answer = await self._client.list_domains(page=page)
            found += answer.domains
            if not answer.has_next or not answer.domains:
                return tuple(found)
            page += 1


class ReadingConnection(Connection):
    """A connection to the API server that sends only GETs."""

    def __init__(self, access: Access) -> None:
        if access.groups and not access.impersonate:
            raise UsageError("--as-group needs --as")
        given = {"as": access.impersonate, "as-groups": access.groups}
        impersonate = {key: value for key, value in given.items() if value}
        kubeconfig, context = access.kubeconfig, access.context
        super().__init__(partial(load_login, kubeconfig=kubeconfig, context=context, impersonate=impersonate))

    async def exchange(
        self, method: str, target: str, headers: dict[str, str], body: Any, seconds: float
    ) -> HttpAnswer:
        if not self.may_send(method, target):
            raise AssertionError(f"this command must not send {method} {target}")
        return await super().exchange(method, target, headers, body, seconds)

    def may_send(self, method: str, _target: str) -> bool:
        return method == "GET"


class ReviewingConnection(ReadingConnection):
    """A connection that also allows access reviews, which are POSTs that store nothing."""

    def may_send(self, method: str, target: str) -> bool:
        return method == "GET" or (method == "POST" and target in {SELF, OTHER})


class SecretlessConnection(ReadingConnection):
    """A connection that reads no Secrets, whatever the permissions of the user."""

    def may_send(self, method: str, target: str) -> bool:
        parts = target.partition("?")[0].split("/")
        return method == "GET" and "secrets" not in parts and "token" not in parts


@asynccontextmanager
async def kube_reader(access: Access) -> AsyncIterator[KubeReads]:
    """Raises CommandError with the message of any error inside."""
    async with connected(KubeReads(ReadingConnection(access))) as client:
        yield client


@asynccontextmanager
async def connected(client: C) -> AsyncIterator[C]:
    """The client with its connection open. Raises CommandError as `kube_reader`."""
    configure_logs("console", "critical")  # messages of lower layers are not data of the command
    try:
        async with client:
            yield client
    except NotFound:
        raise CommandError(f"the cluster does not know these kinds; install them: {INSTALL_CRDS}") from None
    except KubeError as error:
        way = "; log in again, or give another --context or --kubeconfig" if error.status == UNAUTHORIZED else ""
        raise CommandError(f"Kubernetes: {error.message}{way}") from None


@asynccontextmanager
async def coldsend_reader(access: Access, namespace: str) -> AsyncIterator[ColdSendReader]:
    """Raises CommandError when there is no key."""
    async with coldsend_session(access, namespace, ColdSendReads) as (client, allowance):
        yield ColdSendReader(client, allowance)


@asynccontextmanager
async def coldsend_session(
    access: Access, namespace: str, kind: type[S], on_answer: OnAnswer = lambda _operation, _meta: None
) -> AsyncIterator[tuple[S, Allowance]]:
    """A client of ColdSend, and what it may take. Raises CommandError when there is no key."""
    settings = settings_of(access)
    key = await _api_key(access, settings, namespace)
    mask(key)
    client = kind(settings.api_url, key, on_answer=on_answer, ca_file=settings.ca_file)
    try:
        yield client, Allowance.of(settings.requests_per_minute, settings.requests_per_hour, settings.reserve)
    finally:
        await client.aclose()


def has_key(access: Access, settings: Settings) -> bool:
    """Whether a command was told an API key."""
    return bool(access.api_key_secret) or settings.api_key is not None or settings.api_key_file is not None


def default_namespace(access: Access) -> str:
    """The default namespace of a command: that of the context, or of the pod."""
    return namespace_of_context(access.kubeconfig, access.context) or own_namespace()


def key_reference(access: Access) -> Mapping[str, str] | None:
    """The key reference of objects for a key in a Secret; None for the operator's own."""
    if not access.api_key_secret:
        return None
    name, slash, key = access.api_key_secret.partition("/")
    try:
        SECRET_NAME(name)
        return {"name": name, "key": SECRET_KEY(key)} if slash else {"name": name}
    except PydanticCustomError:
        raise UsageError("--api-key-secret takes the name of a Secret, or NAME/KEY") from None


def key_place(access: Access, namespace: str) -> tuple[str, str, str] | None:
    """Namespace, Secret and key of the same reference; None for the operator's own key."""
    reference = key_reference(access)
    return None if reference is None else (namespace, reference["name"], reference.get("key", API_KEY_KEY))


def settings_of(access: Access) -> Settings:
    """The settings of `run`, so that the same environment works for both."""
    given = {"api_url": access.api_url, "api_key_file": access.api_key_file}
    try:
        return load_settings(given, without=("api_key",) if access.api_key_file else ())  # an option wins
    except SettingError as error:
        raise UsageError("\n".join(error.lines)) from None


async def _api_key(access: Access, settings: Settings, namespace: str) -> SecretStr:
    place = key_place(access, namespace)
    if place is not None:
        return await _key_of_secret(access, *place)
    if settings.api_key is not None:
        return settings.api_key
    if settings.api_key_file is None:
        raise UsageError("there is no API key: set COLDSEND_API_KEY, or give --api-key-file or --api-key-secret")
    return _usable(read_text(str(settings.api_key_file)), f"the API key of {settings.api_key_file}")


async def _key_of_secret(access: Access, namespace: str, name: str, key: str) -> SecretStr:
    async with kube_reader(access) as kube:
        content = await read_secret(kube, namespace, name)
    if content is None:
        raise CommandError(f"Secret {namespace}/{name} does not exist; create it, or name another --api-key-secret")
    value = content.values.get(key)
    if value is None or not value.get_secret_value().strip():
        raise CommandError(f"Secret {namespace}/{name} has no value under {key}; name the key as {name}/KEY")
    return _usable(value.get_secret_value(), f"the API key in Secret {namespace}/{name}, key {key},")


def _usable(value: str, what: str) -> SecretStr:
    """The key in the form that is sent; `what` names it in a sentence, as the value may be shown nowhere."""
    key = api_key_of(value)
    fault = api_key_fault(key)
    if fault or not key:
        raise CommandError(f"{what} {fault or 'is empty'}")
    return SecretStr(key)
