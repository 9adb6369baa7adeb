"""When the watch over Secrets reads which Secret."""

import asyncio

from pydantic import SecretStr

from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.credentials.passwords import Hmac, Passwords, SecretReader
from coldsend_operator.credentials.secret_watch import SecretWatch
from coldsend_operator.kube.secrets import SecretContent
from tests.support.core_world import CoreWorld

PERIOD = 600.0


class Clock:
    """`rounds` has an entry for each round that the watch began."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rounds: asyncio.Queue[None] = asyncio.Queue()


def watching(reader: SecretReader, clock: Clock) -> SecretWatch:
    def workspaces() -> tuple[Workspace, ...]:
        clock.rounds.put_nowait(None)  # the watch asks once in each round
        return ()

    hmac = Hmac.of(SecretStr("12345678.key"))
    return SecretWatch(PERIOD, hmac, lambda: reader, lambda: clock.now, workspaces, lambda _: None, lambda _: None)


class SlowReader(SecretReader):
    """Answers no read before `release` is set."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.ended: asyncio.Queue[str] = asyncio.Queue()

    async def passwords(self, account: Account) -> Passwords:
        self.begun.put_nowait(account.uid)
        await self.release.wait()
        self.ended.put_nowait(account.uid)
        return Passwords(Credentials(f"digest-of-{account.uid}"))


async def test_that_a_secret_whose_object_is_replaced_while_it_is_read_is_read_again_afterwards() -> None:
    core = CoreWorld()
    old, new = core.account("old@company.com"), core.account("new@company.com")
    reader = SlowReader()
    clock = Clock()
    watch = watching(reader, clock)
    watch.follow(old)
    clock.now = PERIOD
    running = asyncio.create_task(watch.run())
    assert await reader.begun.get() == old.uid
    watch.leave(old)
    watch.follow(new)  # the same Secret, which is due once more
    clock.now = 2 * PERIOD
    for _ in range(clock.rounds.qsize() + 3):
        await clock.rounds.get()
    assert reader.begun.empty()  # one read of a Secret at a time
    reader.release.set()
    assert await reader.ended.get() == old.uid
    assert await reader.ended.get() == new.uid
    running.cancel()


async def test_that_an_object_that_names_another_secret_during_a_read_gets_the_passwords_of_that_one() -> None:
    core = CoreWorld()
    account = core.account()

    async def read(_: str, name: str) -> SecretContent:
        core.change(account, smtp={"passwordSecretRef": {"name": "another"}})
        return SecretContent("1", {"password": SecretStr(f"of {name}")})

    found = await SecretReader(read, Hmac.of(SecretStr("12345678.key"))).passwords(account)
    assert found.smtp == SecretStr("of another")


class MissingSecret(SecretReader):
    """Finds no Secret, and answers when `release` is set."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.begun = asyncio.Event()

    async def passwords(self, account: Account) -> Passwords:
        self.begun.set()
        await self.release.wait()
        return Passwords(Credentials(None, Reason.SECRET_NOT_FOUND, f"no Secret of {account.uid}"))


async def test_that_nothing_is_kept_of_a_secret_whose_last_object_goes_while_it_is_read() -> None:
    account, reader, clock = CoreWorld().account(), MissingSecret(), Clock()
    watch = watching(reader, clock)
    watch.follow(account)
    clock.now = PERIOD
    running = asyncio.create_task(watch.run())
    await reader.begun.wait()
    watch.leave(account)
    while not clock.rounds.empty():
        clock.rounds.get_nowait()
    reader.release.set()
    await clock.rounds.get()  # the next round begins after the end of the read
    running.cancel()
    assert (watch._tries, watch._in_trouble) == ({}, {})
