"""One control plane, one ColdSend and one operator for all commands, and one installation of the program."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import devcluster
from tests.e2e.commands.installation import install
from tests.e2e.commands.person import Person
from tests.e2e.commands.place import Place, place
from tests.e2e.support.world import World, opened_world


@pytest.fixture(scope="package")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="package")
def world(cluster: devcluster.Cluster, crds: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened_world(cluster, tmp_path_factory.mktemp("operators")) as opened:
        yield opened


@pytest.fixture(scope="package")
def here(world: World, programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(world, programs / "coldsend-operator", tmp_path_factory.mktemp("people")) as found:
        yield found


@pytest.fixture(scope="module")
def person(here: Place, request: pytest.FixtureRequest) -> Person:
    """Somebody of their own for each module."""
    return here.person(request.module.__name__.rpartition(".")[2].replace("_", "-"))
