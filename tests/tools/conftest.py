"""A ColdSend over HTTP for the commands that need one; nothing around the tests decides how they connect."""

from collections.abc import Iterator

import pytest

from coldsend_emulator.running import RunningEmulator, running_emulator
from tests.tools.support import API_KEY


@pytest.fixture(autouse=True)
def only_what_a_test_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "KUBERNETES_SERVICE_HOST", "COLDSEND_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator([API_KEY]) as running:
        yield running


@pytest.fixture
def coldsend(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> RunningEmulator:
    """Empty, without limits, and the environment of the commands points at it."""
    emulator.reset()
    emulator.limit()
    emulator.clear_request_log()
    monkeypatch.setenv("COLDSEND_API_URL", emulator.api_url)
    monkeypatch.setenv("COLDSEND_API_KEY", API_KEY)
    return emulator
