"""Starts a control plane in an empty folder."""

import http.client
import secrets
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from devcluster import components
from devcluster.errors import DevclusterError
from devcluster.kubeconfig import write_private, write_with_token
from devcluster.processes import Processes
from devcluster.programs import API_SERVER, CONTROLLERS, Programs
from devcluster.run_folder import RunFolder

START_SECONDS = 180.0  # ready within 5 s on an idle machine
_ASK_SECONDS = 0.05
_DEFAULT_NAMESPACE = "/api/v1/namespaces/default"
_DEFAULT_ACCOUNT = f"{_DEFAULT_NAMESPACE}/serviceaccounts/default"


@dataclass(frozen=True)
class Startup:
    """`wait(seconds)` raises to abort the start."""

    programs: Programs
    folder: RunFolder
    processes: Processes
    port: int
    audit: bool
    wait: Callable[[float], None]
    admin_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _controllers_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def run(self) -> None:
        self._write_files_of_the_api_server()
        self.processes.start(components.etcd(self.programs))
        self.processes.start(components.api_server(self.programs, self.folder, self.port, audit=self.audit))
        self._until_answered(API_SERVER, "/readyz")
        self._write_kubeconfigs()
        self._until_answered(API_SERVER, _DEFAULT_NAMESPACE)
        manager = self.programs.kube_controller_manager
        if manager is not None:
            self.processes.start(components.controllers(manager, self.folder))
            self._until_answered(CONTROLLERS, _DEFAULT_ACCOUNT)  # its service account controller creates this object

    def _write_files_of_the_api_server(self) -> None:
        users = {self.admin_token: components.ADMIN, self._controllers_token: components.CONTROLLERS_USER}
        lines = [f"{token},{user},{user},{group}\n" for token, (user, group) in users.items()]
        write_private(self.folder.tokens, "".join(lines))
        self.folder.audit_policy.write_text(components.AUDIT_POLICY)

    def _write_kubeconfigs(self) -> None:
        ca = self.folder.ca.read_bytes()
        write_with_token(self.folder.kubeconfig, self.url, ca, self.admin_token)
        write_with_token(self.folder.controllers_kubeconfig, self.url, ca, self._controllers_token)

    def _until_answered(self, component: str, path: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.folder.ca, "127.0.0.1", self.port, path, self.admin_token):
            self.processes.check()
            if time.monotonic() > deadline:
                tail = self.processes.tail(component)
                raise DevclusterError(f"{component} is not ready after {START_SECONDS:.0f} s; {tail}")
            self.wait(_ASK_SECONDS)


def answers(ca: Path, host: str, port: int, path: str, token: str) -> bool:
    """Whether the API server answers a GET of `path` with 200."""
    try:
        trust = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection(host, port, context=trust, timeout=5)
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        status = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException):  # not started yet
        return False
    return status == http.HTTPStatus.OK
