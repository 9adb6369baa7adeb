"""One installation by the first step of the action; for each test a GitHub without comments and an empty workspace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.action.github import GitHub, github
from tests.action.runner import Runner


@pytest.fixture(scope="session")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a runner on which the action has been once."""
    folder = tmp_path_factory.mktemp("runner")
    first = Runner(folder, folder, "").install()
    assert first.succeeded, first.log
    return folder


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as played:
        yield played


@pytest.fixture
def runner(temp: Path, hub: GitHub, tmp_path: Path) -> Runner:
    return Runner(tmp_path, temp, hub.url)
