"""The cluster of the current kubeconfig, for example a kind cluster; it is used, but not stopped."""

import base64
import json
import os
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devcluster import kubeconfig
from devcluster.cluster import Cluster
from devcluster.errors import DevclusterError, WrongSettingError
from devcluster.kubectl import any_kubectl

_PATIENCE = "--request-timeout=10s"


@contextmanager
def current_cluster(root: Path | None) -> Iterator[Cluster]:
    """The cluster of the context that is current now, even if the current context changes later."""
    kubectl = any_kubectl()
    view = _current_context(kubectl)
    with tempfile.TemporaryDirectory(prefix="coldsend-devcluster-", dir=root) as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        config = folder / "kubeconfig"
        server, user = view["clusters"][0]["cluster"], view["users"][0]["user"]
        kubeconfig.write(config, server, user)
        _check_reachable(kubectl, config, server["server"])
        yield Cluster(
            kubeconfig=config,
            kubectl=kubectl,
            url=server["server"],
            ca_file=_ca_file(server, folder),
            admin_token=user.get("token"),
            audit_log=None,
            log_dir=folder / "logs",
            folder=folder,
            pids={},
            wait_for_end=_wait_for_ever,
        )


def _current_context(kubectl: Path) -> dict[str, Any]:
    command = [str(kubectl), "config", "view", "--minify", "--flatten", "--raw", "--output=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    view: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
    if not view.get("clusters") or not view.get("users"):
        why = done.stderr.strip() or f"no context is set in {os.environ.get('KUBECONFIG') or '~/.kube/config'}"
        raise WrongSettingError(f"CLUSTER=current, but there is no current cluster: {why}")
    return view


def _check_reachable(kubectl: Path, config: Path, url: str) -> None:
    command = [str(kubectl), "--kubeconfig", str(config), "get", "--raw=/readyz", _PATIENCE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DevclusterError(f"CLUSTER=current, but {url} does not answer: {done.stderr.strip()}")


def _ca_file(server: dict[str, Any], folder: Path) -> Path:
    embedded = server.get("certificate-authority-data")
    if embedded is None:  # a public certificate
        return Path(ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile)
    path = folder / "ca.crt"
    path.write_bytes(base64.b64decode(embedded))
    return path


def _wait_for_ever() -> None:
    threading.Event().wait()
