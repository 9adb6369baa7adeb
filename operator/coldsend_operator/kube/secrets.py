"""Secrets, read by name and never listed or watched: the operator needs no more permission."""

import base64
import binascii
import codecs
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from coldsend_operator.kube import paths
from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.reads import KubeReads


@dataclass(frozen=True, slots=True)
class SecretContent:
    """The content of a Secret; `undecodable` describes each value that is not UTF-8 text."""

    resource_version: str
    values: Mapping[str, SecretStr]
    undecodable: Mapping[str, str] = field(default_factory=dict)


ReadSecret = Callable[[str, str], Awaitable[SecretContent | None]]
"""Reads the Secret with this namespace and name, as `read_secret`."""


async def read_secret(client: KubeReads, namespace: str, name: str) -> SecretContent | None:
    """The current Secret; None if it does not exist. Raises KubeError, for example Forbidden."""
    found = await client.find(f"{paths.secrets(namespace)}/{quote(name, safe='')}")
    return None if found is None else _content(found)


async def create_secret(client: KubeClient, namespace: str, name: str, values: Mapping[str, SecretStr]) -> None:
    """Create the Secret. Raises Conflict if it exists."""
    data = {key: base64.b64encode(value.get_secret_value().encode()).decode() for key, value in values.items()}
    metadata = {"name": name, "namespace": namespace}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}
    await client.create(paths.secrets(namespace), body)


def _content(secret: dict[str, Any]) -> SecretContent:
    values: dict[str, SecretStr] = {}
    undecodable: dict[str, str] = {}
    for key, encoded in (secret.get("data") or {}).items():
        try:
            values[key] = SecretStr(base64.b64decode(encoded or "").decode())
        except UnicodeDecodeError as error:
            undecodable[key] = _encoding_fault(error)
        except binascii.Error:
            undecodable[key] = "is not valid base64"
    return SecretContent(secret["metadata"]["resourceVersion"], values, undecodable)


def read_manifest(secret: Mapping[str, Any]) -> SecretContent:
    """The content of a Secret after this manifest is applied; `stringData` takes precedence over `data`."""
    data, plain = (part if isinstance(part, dict) else {} for part in (secret.get("data"), secret.get("stringData")))
    encoded = {key: value for key, value in data.items() if isinstance(value, str)}
    content = _content({"metadata": {"resourceVersion": ""}, "data": encoded})
    return replace(content, values={**content.values, **{key: SecretStr(str(value)) for key, value in plain.items()}})


def _encoding_fault(error: UnicodeDecodeError) -> str:
    """What is wrong, without the bytes, which are secret."""
    if error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "begins with the byte order mark U+FEFF of UTF-16 text at position 1"
    return f"is not UTF-8 text (from byte {error.start + 1} on)"
