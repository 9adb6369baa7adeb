"""The folder of one run, and its removal."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devcluster.locks import try_lock

_PREFIX = "coldsend-devcluster-"
_LOCK = "lock"
_REMOVE_SECONDS, _RETRY_SECONDS = 20.0, 0.05
_YOUNG_SECONDS = 60.0  # a new folder may not be locked yet


@dataclass(frozen=True)
class RunFolder:
    path: Path

    @property
    def certificates(self) -> Path:
        return self.path / "certificates"

    @property
    def ca(self) -> Path:
        """The self-signed serving certificate of the API server, with its CA."""
        return self.certificates / "apiserver.crt"

    @property
    def key(self) -> Path:
        """Created by the API server; it also signs the tokens of service accounts."""
        return self.certificates / "apiserver.key"

    @property
    def tokens(self) -> Path:
        return self.path / "tokens.csv"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def audit_policy(self) -> Path:
        return self.path / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def kubeconfig(self) -> Path:
        return self.path / "kubeconfig"

    @property
    def controllers_kubeconfig(self) -> Path:
        return self.path / "kubeconfig-kube-controller-manager"

    def log(self, component: str) -> Path:
        return self.logs / f"{component}.log"


@contextmanager
def run_folder(root: Path | None) -> Iterator[RunFolder]:
    """A new folder in `root` (default: the system's temporary folder), removed at the end of the block.

    The owner locks it; folders whose owner was killed are removed first.
    """
    parent = root or Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try_lock(lock)
        folder = RunFolder(path)
        folder.logs.mkdir()
        yield folder
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def remove_until_gone(path: Path) -> None:
    """Remove the folder, even if components that were just killed still write to it."""
    until = time.monotonic() + _REMOVE_SECONDS
    while path.exists() and time.monotonic() < until:
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            time.sleep(_RETRY_SECONDS)


def _remove_abandoned(parent: Path) -> None:
    for path in parent.glob(f"{_PREFIX}*"):
        if _is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path: Path) -> bool:
    try:
        about = path.lstat()
        if about.st_uid != os.getuid() or time.time() - about.st_mtime < _YOUNG_SECONDS:
            return False
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False  # its owner removes it just now, or it is not ours
    try:
        return try_lock(lock)
    finally:
        os.close(lock)
