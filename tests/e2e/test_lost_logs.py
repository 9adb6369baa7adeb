"""Logs that cannot be written: the operator's own may be lost, those of writes to ColdSend may not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from demo.operator_run import free_port
from tests.e2e.support.operators import QUICK, STOP_SECONDS, running_operator
from tests.e2e.support.tenant import Tenant, eventually, opened_tenant
from tests.e2e.support.world import World


def settings_of(tenant: Tenant) -> dict[str, str]:
    return {
        "COLDSEND_API_URL": tenant.emulator.api_url,
        "COLDSEND_NAMESPACES": tenant.namespace,
        "COLDSEND_LEASE_NAMESPACE": tenant.namespace,
    }


@contextmanager
def read_until(audit: str, world: World, tenant: Tenant) -> Iterator[tuple[int, str]]:
    """Run an operator whose output is read from a pipe: the end to close, and the address of the probes."""
    addresses = {f"COLDSEND_{name}_ADDRESS": f"127.0.0.1:{free_port()}" for name in ("METRICS", "PROBES")}
    around = {**os.environ, "KUBECONFIG": str(world.cluster.kubeconfig), "COLDSEND_AUDIT_LOG": audit}
    around.pop("PYTHONUNBUFFERED", None)  # with it, Python holds back nothing that is lost at the end
    env = {**around, **QUICK, **addresses, **settings_of(tenant)}
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "demo.end_with_parent", sys.executable, "-m", "coldsend_operator", "run"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=writer, stderr=writer) as operator:
        os.close(writer)
        try:
            yield reader, addresses["COLDSEND_PROBES_ADDRESS"]
        finally:
            assert operator.stdin is not None
            operator.stdin.close()  # which ends the operator
            code = operator.wait(STOP_SECONDS)
        assert code == 0


def test_an_operator_whose_log_nobody_reads_any_more_works_on(world: World) -> None:
    with opened_tenant(world, "pipe") as tenant, read_until("off", world, tenant) as (reader, _):
        tenant.make("before")
        os.close(reader)
        tenant.make("after")
        tenant.remove("before")


def test_an_operator_whose_audit_log_on_stdout_nobody_reads_any_more_asks_to_be_restarted(world: World) -> None:
    with opened_tenant(world, "stdout") as tenant, read_until("stdout", world, tenant) as (reader, probes):
        tenant.make("before")
        os.close(reader)
        tenant.apply("after")
        eventually(lambda: httpx.get(f"http://{probes}/healthz", trust_env=False).is_error, "a failed liveness probe")
        assert tenant.no_inbox("after")


def test_without_its_audit_log_nothing_is_written_to_coldsend_and_that_is_said_once(
    world: World, tmp_path: Path
) -> None:
    place = tmp_path / "volume"
    with opened_tenant(world, "audit") as tenant:
        audit = {"COLDSEND_AUDIT_LOG": str(place / "audit.log")}
        with running_operator(world.cluster.kubeconfig, tmp_path, **settings_of(tenant), **audit) as operator:
            tenant.apply("ann")
            eventually(lambda: "audit_failed" in operator.lines(), "a line about the audit log")
            tenant.after_sweeps()
            assert tenant.no_inbox("ann")
            place.mkdir()
            tenant.ready("ann")
            said = operator.lines()
        assert said.count('"audit_failed"') == 1
        assert said.count('"recovered"') == 1
