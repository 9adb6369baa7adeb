"""Completion of names out of a real API server, for shells and for kubectl."""

import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.support.api_server import named
from tests.e2e.support.world import World
from tests.e2e.test_tools import tool


@pytest.fixture
def namespace(world: World) -> Iterator[str]:
    name = f"complete-{uuid4().hex[:8]}"
    spec = {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe"}
    world.server.apply(named("Namespace", "", name))
    for account in ("ann", "anton", "bob"):
        spec = {**spec, "emailAddress": f"{account}@one.com"}
        world.server.apply(named("SenderAccount", name, account, spec=spec))
    template = {"inboxType": "GOOGLE_WORKSPACE", "managementPolicy": "Observe"}
    world.server.apply(named("SenderAccountBatch", name, "pool", spec={"template": template, "inboxes": []}))
    yield name
    world.server.kubectl("delete", "senderbatch,sender", "--all", "-n", name, "--wait=false")


def test_names_are_those_of_the_namespace_on_the_line(world: World, namespace: str) -> None:
    def ask(*words: str) -> list[str]:
        return tool(world, "__complete", *words).stdout.splitlines()

    assert ask("pause", "-n", namespace, "sender/an") == ["sender/ann", "sender/anton", ":4"]
    assert ask("tree", "-n", namespace, "") == ["senderbatch/pool", ":4"]
    assert ask("status", "-n", namespace, "") == ["pool", "ann", "anton", "bob", ":4"]
    assert ask("wait", "-n", namespace[:12], "x")[-1] == ":4"
    assert namespace in ask("pause", "-n", namespace[:10])
    (context, _) = ask("pause", "--context", "")
    assert ask("pause", "--context", context, "-n", namespace, "sender/b") == ["sender/bob", ":4"]
    assert ask("pause", "--as", "nobody", "-n", namespace, "") == [":4"]


def test_kubectl_asks_the_program_beside_the_plugin(world: World, namespace: str) -> None:
    """Kubectl runs `kubectl_complete-coldsend` off the PATH, with the words behind `kubectl coldsend`."""
    folder = world.folder / f"plugins-{namespace}"
    folder.mkdir()
    for name, call in (("kubectl-coldsend", "main"), ("kubectl_complete-coldsend", "complete")):
        program = folder / name
        python = f"{sys.executable} -c 'from coldsend_operator.__main__ import {call}; {call}()'"
        program.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
        program.chmod(0o755)
    run = subprocess.run(
        [str(world.cluster.kubectl), "__complete", "coldsend", "pause", "-n", namespace, "sender/an"],
        env={
            "PATH": f"{folder}:/usr/bin:/bin",
            "KUBECONFIG": str(world.cluster.kubeconfig),
            "PYTHONPATH": ":".join(sys.path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines()[:3] == ["sender/ann", "sender/anton", ":4"]
