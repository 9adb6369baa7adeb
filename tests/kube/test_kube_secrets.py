"""Secrets are read by name, with the one permission that the operator asks for."""

import base64
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

import devcluster
from coldsend_operator.kube import paths
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.errors import Conflict, Forbidden
from coldsend_operator.kube.secrets import create_secret, read_secret
from tests.kube.support import World, audited, token_of_account_with

VALUE = "correct horse battery staple"


async def make_secret(world: World, name: str, content: dict[str, bytes]) -> str:
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "data": {key: base64.b64encode(value).decode() for key, value in content.items()},
    }
    made = await world.client.create(paths.secrets(world.namespace), body)
    return str(made["metadata"]["resourceVersion"])


async def test_a_secret_is_read_with_its_version(world: World) -> None:
    version = await make_secret(world, "smtp", {"password": VALUE.encode(), "umlaut": "ä€".encode(), "empty": b""})
    content = await read_secret(world.client, world.namespace, "smtp")
    assert content is not None
    assert content.resource_version == version
    plain = {key: value.get_secret_value() for key, value in content.values.items()}
    assert plain == {"password": VALUE, "umlaut": "ä€", "empty": ""}
    assert content.undecodable == {}


async def test_a_value_that_is_no_text_is_named_and_left_out(world: World) -> None:
    await make_secret(world, "smtp", {"password": b"\xff\xfe\x00", "other": b"x"})
    content = await read_secret(world.client, world.namespace, "smtp")
    assert content is not None
    assert (set(content.values), set(content.undecodable)) == ({"other"}, {"password"})


async def test_a_secret_without_content_has_no_values(world: World) -> None:
    await make_secret(world, "smtp", {})
    content = await read_secret(world.client, world.namespace, "smtp")
    assert content is not None
    assert content.values == {}


async def test_a_missing_secret_is_none(world: World) -> None:
    assert await read_secret(world.client, world.namespace, "nothing") is None


async def test_no_value_is_shown_by_the_content_itself(world: World) -> None:
    await make_secret(world, "smtp", {"password": VALUE.encode()})
    content = await read_secret(world.client, world.namespace, "smtp")
    assert VALUE not in repr(content)


async def test_a_secret_is_made_once(world: World) -> None:
    await create_secret(world.client, world.namespace, "hmac", {"key": SecretStr("first")})
    with pytest.raises(Conflict):
        await create_secret(world.client, world.namespace, "hmac", {"key": SecretStr("second")})
    content = await read_secret(world.client, world.namespace, "hmac")
    assert content is not None
    assert content.values["key"].get_secret_value() == "first"


@pytest.fixture
async def restricted(
    cluster: devcluster.Cluster, world: World, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[KubeClient]:
    """A client that may get Secrets, and nothing else."""
    token = await token_of_account_with(world, {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig_for(token)))
    async with KubeClient(lambda kind, verb: None) as client:
        yield client


async def test_get_is_all_the_permission_that_reading_needs(
    cluster: devcluster.Cluster, world: World, restricted: KubeClient
) -> None:
    await make_secret(world, "smtp", {"password": VALUE.encode()})
    content = await read_secret(restricted, world.namespace, "smtp")
    assert content is not None
    assert content.values["password"].get_secret_value() == VALUE
    assert await read_secret(restricted, world.namespace, "nothing") is None
    with pytest.raises(Forbidden):
        await restricted.get(paths.secrets(world.namespace))
    verbs = {entry["verb"] for entry in audited(cluster, world.namespace, "secrets", "system:serviceaccount")}
    assert verbs == {"get", "list"}  # the list is the test's own


async def test_without_permission_the_error_says_so_and_shows_no_value(world: World, restricted: KubeClient) -> None:
    with pytest.raises(Forbidden, match="HTTP 403") as error:
        await create_secret(restricted, world.namespace, "hmac", {"key": SecretStr(VALUE)})
    assert VALUE not in repr(error.value)
    with pytest.raises(Forbidden, match="cannot get resource"):
        await read_secret(restricted, "default", "other")
