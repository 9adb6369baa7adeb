from collections.abc import Iterator

import pytest

from coldsend_emulator.running import RunningEmulator, running_emulator
from tests.emulator.client import KEY, SLOW_SECONDS, EmulatorClient


@pytest.fixture(scope="session")
def shared_emulator() -> Iterator[RunningEmulator]:
    with running_emulator([KEY, "cs_live_other"]) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator: RunningEmulator) -> RunningEmulator:
    """An emulator without inboxes and limits; two keys have a workspace each; jobs wait for time to pass."""
    shared_emulator.reset()
    shared_emulator.limit()
    shared_emulator.switch(job_seconds=SLOW_SECONDS, domain_setup_seconds=SLOW_SECONDS)
    for key in (KEY, "cs_live_other"):
        shared_emulator.change_key(key, scopes=["*"], revoked=False)
    return shared_emulator


@pytest.fixture(scope="session")
def shared_client(shared_emulator: RunningEmulator) -> Iterator[EmulatorClient]:
    opened = EmulatorClient(shared_emulator)
    yield opened
    opened.http.close()


@pytest.fixture
def client(emulator: RunningEmulator, shared_client: EmulatorClient) -> EmulatorClient:
    return shared_client
