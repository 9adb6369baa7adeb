"""Runs the emulator as a process, with its control API as methods."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from coldsend_emulator.operations import BASE_PATH

_READY = "listening on "
_STOP_SECONDS = 10


class EmulatorError(Exception):
    """The emulator did not start, or refused a control call."""


class RunningEmulator:
    """A running emulator, with its control API as methods. Close it after use."""

    def __init__(self, url: str, pid: int | None = None, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self.api_url = url + BASE_PATH
        self.pid = pid
        self._http = httpx.Client(base_url=f"{url}/_emulator", timeout=60, trust_env=False, transport=transport)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Send a control call of README.md. Raises EmulatorError unless the status is 2xx."""
        given = {name: value for name, value in query.items() if value is not None}
        response = self._http.request(method, path, params=given, json=body)
        if response.is_error:
            raise EmulatorError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    # Inboxes

    def seed(self, *inboxes: Mapping[str, Any], workspace: str = "default") -> list[str]:
        """Add inboxes with these fields of a row, at least email_address. Returns their ids in order."""
        ids: list[str] = self.call("POST", "/inboxes", {"workspace": workspace, "inboxes": inboxes})["inbox_ids"]
        return ids

    def seed_many(self, count: int, pattern: str, workspace: str = "default", **values: Any) -> list[str]:
        """Add `count` inboxes; `pattern` is an address with {n}."""
        body = {"workspace": workspace, "count": count, "pattern": pattern, "values": values}
        ids: list[str] = self.call("POST", "/inboxes", body)["inbox_ids"]
        return ids

    def inboxes(
        self, workspace: str | None = None, address: str | None = None, domain_id: str | None = None
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(
            "GET", "/inboxes", workspace=workspace, address=address, domain_id=domain_id
        )["inboxes"]
        return found

    def change(self, inbox: str, **values: Any) -> dict[str, Any]:
        """Change fields of a row; `inbox` is always an id or an address."""
        changed: dict[str, Any] = self.call("PATCH", f"/inboxes/{inbox}", values)
        return changed

    def change_many(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Each of `changes` has `inbox` and the values to set."""
        self.call("POST", "/inboxes/change", {"changes": changes})

    def delete(self, inbox: str) -> None:
        self.call("DELETE", f"/inboxes/{inbox}")

    def delete_many(self, inboxes: Sequence[str] | None = None, workspace: str = "default") -> int:
        """Delete these inboxes, or all of the workspace, as a person would."""
        deleted: int = self.call("POST", "/inboxes/delete", {"workspace": workspace, "inboxes": inboxes})["deleted"]
        return deleted

    def has_passwords(self, inbox: str, smtp: str, imap: str | None = None) -> bool:
        body = {"smtp_password": smtp, "imap_password": smtp if imap is None else imap}
        answer: dict[str, bool] = self.call("POST", f"/inboxes/{inbox}/password-check", body)
        return all(answer.values())

    # What happened

    def history(
        self, address: str | None = None, event: str | None = None, by: str | None = None, workspace: str | None = None
    ) -> list[dict[str, Any]]:
        """Creations and deletions in order; `event` is created or deleted, `by` an operation or control."""
        asked = {"address": address, "event": event, "by": by, "workspace": workspace}
        entries: list[dict[str, Any]] = self.call("GET", "/history", **asked)["history"]
        return entries

    def doubled(self) -> list[str]:
        """The addresses that had two inboxes at once in one workspace, at any time."""
        return [each["address"] for each in self.call("GET", "/summary")["doubled"]]

    def requests(self, operation: str | None = None, status: int | str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(
            "GET", "/requests", operation=operation, status=status, latest=1_000_000
        )["requests"]
        return found

    def request_counts(self) -> dict[str, Any]:
        """Keys total, connections, by_operation, by_method, by_status, by_operation_and_status, peaks."""
        counts: dict[str, Any] = self.call("GET", "/requests/summary")
        return counts

    def clear_request_log(self) -> None:
        self.call("DELETE", "/requests")

    def mails(self, recipient: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/mails", recipient=recipient)["mails"]
        return found

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/jobs")["jobs"]
        return found

    # Keys, domains, campaigns

    def add_key(self, key: str, workspace: str = "default", scopes: Sequence[str] = ("*",)) -> None:
        self.call("POST", "/keys", {"key": key, "workspace": workspace, "scopes": list(scopes)})

    def change_key(self, key: str, **values: Any) -> None:
        """Set `scopes` or `revoked`."""
        self.call("PATCH", "/keys", {"key": key, **values})

    def add_domain(self, name: str, workspace: str = "default", status: str = "ACTIVE", max_inboxes: int = 1000) -> str:
        body = {"domain_name": name, "workspace": workspace, "status": status, "max_inboxes": max_inboxes}
        domain_id: str = self.call("POST", "/domains", body)["domain_id"]
        return domain_id

    def change_domain(self, domain: str, **values: Any) -> None:
        """Set `status` or `max_inboxes`; `domain` is an id or a name."""
        self.call("PATCH", f"/domains/{domain}", values)

    def hold(self, *inboxes: str, state: str = "ACTIVE", workspace: str = "default") -> str:
        """Let a campaign use these inboxes. Returns its id, for `free`."""
        body = {"inboxes": inboxes, "state": state, "workspace": workspace}
        campaign_id: str = self.call("POST", "/campaigns", body)["campaign_id"]
        return campaign_id

    def free(self, campaign_id: str) -> None:
        self.call("DELETE", f"/campaigns/{campaign_id}")

    # Disturbances

    def switch(self, workspace: str | None = None, /, **values: str | float | None) -> None:
        """Set switches by name, for all workspaces or for one; if one is invalid, none is set."""
        self.call("PUT", "/switches", values, workspace=workspace)

    def reset_switches(self, workspace: str | None = None) -> None:
        self.call("DELETE", "/switches", workspace=workspace)

    def limit(self, per_minute: int | None = None, per_hour: int | None = None, workspace: str | None = None) -> None:
        """Set both limits (None: no limit), for all workspaces or for one, and clear their windows."""
        self.call("PUT", "/limits", {"per_minute": per_minute, "per_hour": per_hour}, workspace=workspace)

    def advance(self, seconds: float) -> None:
        """Move windows, jobs and delays forward."""
        self.call("POST", "/clock", {"advance_seconds": seconds})

    def break_connections(
        self, hosts: Sequence[str] = (), addresses: Sequence[str] = (), passwords: Sequence[str] = ()
    ) -> None:
        """Let the connection check fail for these."""
        self.call("POST", "/bad-connections", {"hosts": hosts, "addresses": addresses, "passwords": passwords})

    def mend_connections(self, address: str | None = None) -> None:
        """Let the connection check succeed again, for one address or for all."""
        self.call("DELETE", "/bad-connections", address=address)

    def fault(self, kind: str, **parts: Any) -> str:
        """Add a fault with the parts in README.md. Returns its id."""
        fault_id: str = self.call("POST", "/faults", {"kind": kind, **parts})["fault_id"]
        return fault_id

    def wait_for_fault(self, fault_id: str, hits: int = 1, seconds: float = 10) -> dict[str, Any]:
        """Wait until this many requests were hit (a pause: are held). Raises EmulatorError after `seconds`."""
        shown: dict[str, Any] = self.call("GET", f"/faults/{fault_id}/wait", hits=hits, seconds=seconds)
        return shown

    def release(self, fault_id: str) -> None:
        """Release the requests that a pause holds."""
        self.call("POST", f"/faults/{fault_id}/release")

    def remove_fault(self, fault_id: str) -> None:
        self.call("DELETE", f"/faults/{fault_id}")

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def reset(self) -> None:
        """Remove everything except keys and limits, and reset all switches."""
        self.call("POST", "/reset")


@contextmanager
def running_emulator(
    keys: Sequence[str] = ("cs_live_demo",),
    *,
    domains: Sequence[str] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    per_minute: int = 0,
    per_hour: int = 0,
    switches: Mapping[str, str | float] | None = None,
) -> Iterator[RunningEmulator]:
    """Run the emulator as a process until the end of the block, or of this process, even if that is killed.

    `keys` are KEY or KEY=WORKSPACE, `domains` NAME or NAME=CAPACITY. A limit of 0 is no limit.
    """
    command = [sys.executable, "-m", "coldsend_emulator", "--host", host, "--port", str(port), "--until-stdin-closes"]
    command += ["--per-minute", str(per_minute), "--per-hour", str(per_hour)]
    command += [part for key in keys for part in ("--api-key", key)]
    command += [part for domain in domains for part in ("--domain", domain)]
    command += [part for name, value in (switches or {}).items() for part in ("--switch", f"{name}={value}")]
    process = subprocess.Popen(  # noqa: S603 -- our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_environment()
    )
    try:
        emulator = RunningEmulator(_url(process), process.pid)
        try:
            yield emulator
        finally:
            emulator.close()
    finally:
        _end(process)


def _environment() -> dict[str, str]:
    """The environment in which the child can import this package."""
    here = str(Path(__file__).parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, inherited] if inherited else [here])}


def _url(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith(_READY):
        raise EmulatorError(f"the emulator did not start (exit code {process.wait()})")
    return line.removeprefix(_READY).strip()


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
