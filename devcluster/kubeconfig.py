"""Writes self-contained kubeconfig files, as JSON, which is also YAML."""

import base64
import json
import os
from pathlib import Path
from typing import Any

_NAME = "devcluster"


def write_with_token(path: Path, url: str, ca: bytes, token: str) -> None:
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(ca).decode()}
    write(path, cluster, {"token": token})


def write(path: Path, cluster: dict[str, Any], user: dict[str, Any]) -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": _NAME}}],
        "current-context": _NAME,
    }
    write_private(path, json.dumps(content, indent=2))


def cluster_of(path: Path) -> dict[str, Any]:
    """The cluster entry of a file that `write` wrote."""
    cluster: dict[str, Any] = json.loads(path.read_text())["clusters"][0]["cluster"]
    return cluster


def write_private(path: Path, content: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
