"""From the previous version to this one and back, killed with work in flight: all is finished, and nothing twice."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import devcluster
from tests.chart.installed import Release, install, upgrade, values
from tests.chart.support import CRDS, RELEASE, Helm
from tests.e2e.batches.pool import Pool
from tests.e2e.support.operators import OperatorRun
from tests.e2e.support.tenant import CUSTOM, OUTLOOK, Tenant, eventually, opened_tenant
from tests.e2e.support.world import opened_world
from tests.kube.support import established

PREVIOUS = Path(__file__).parent / "previous"
QUIET = tuple(f"quiet-{number:02}" for number in range(20))
HALF = tuple(f"half-{number:02}" for number in range(40))
LOST = tuple(f"lost-{number:02}" for number in range(10))
JOB_SECONDS = len(HALF)  # an inbox a second: some are there when the operator is killed, and some are not


@dataclass(frozen=True)
class Previous:
    """The version before: its chart, where Python finds its operator, and its commit."""

    chart: Path
    packages: Path
    commit: str


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Previous:
    (chart,), (wheel,) = PREVIOUS.glob("*.tgz"), PREVIOUS.glob("*.whl")
    packages = tmp_path_factory.mktemp("previous")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(packages)
    return Previous(chart, packages, (packages / "coldsend_operator" / "COMMIT").read_text().strip())


@pytest.fixture
def tenant(tmp_path: Path) -> Iterator[Tenant]:
    """A namespace on a control plane that knows nothing of us; release and objects are in it."""
    with (
        devcluster.control_plane() as plane,
        opened_world(plane, tmp_path) as world,
        opened_tenant(world, "home") as found,
    ):
        yield found


@dataclass(frozen=True)
class InFlight:
    """Objects of one version, in every state that takes more than a moment, and what holds ColdSend's answers back."""

    tenant: Tenant
    create: str
    delete: str

    @property
    def pools(self) -> tuple[Pool, ...]:
        return tuple(Pool(self.tenant, name) for name in ("quiet", "half", "lost"))

    def release_calls(self) -> None:
        """The process is gone; ColdSend does what it was asked for, within the time that a create may take."""
        for fault in (self.create, self.delete):
            self.tenant.emulator.release(fault)
            self.tenant.emulator.remove_fault(fault)

    def finished(self) -> None:
        """The other version is at work, and ColdSend comes to the end of its job."""
        for pool in self.pools:
            pool.ready()
        for name in ("ann", "bob"):
            self.tenant.ready(name)
        self.tenant.gone("leaving")
        self.tenant.after_sweeps()


def put_in_flight(tenant: Tenant) -> InFlight:
    """Everything that an operator can be in the middle of; returns when it is."""
    tenant.apply("ann", apiKeySecretRef=None)
    tenant.apply("bob", OUTLOOK)
    tenant.apply("leaving", CUSTOM)
    Pool(tenant, "quiet").apply(*QUIET)
    for name in ("ann", "bob", "leaving"):
        tenant.ready(name)
    Pool(tenant, "quiet").ready()

    delete = tenant.fault("pause", operation="deleteSenderAccount")
    tenant.delete("leaving")
    tenant.emulator.wait_for_fault(delete, seconds=60)

    tenant.emulator.switch(tenant.workspace, job_seconds=JOB_SECONDS)
    half = Pool(tenant, "half")
    half.apply(*HALF)
    half.until(lambda shown: bool(shown.status.get("jobs")), "a job")
    # rule 7: a lost call may be repeated once lostCallSeconds pass without an inbox of it
    tenant.emulator.switch(tenant.workspace, job_seconds=1)
    create = tenant.fault("pause", operation="bulkCreateSmtpAccounts")
    Pool(tenant, "lost").apply(*LOST)
    tenant.emulator.wait_for_fault(create, seconds=60)
    eventually(lambda: made_of_half(tenant), "an inbox of the job")
    return InFlight(tenant, create, delete)


def made_of_half(tenant: Tenant) -> int:
    return len([each for each in tenant.emulator.inboxes(tenant.workspace) if "half-" in each["email_address"]])


@contextmanager
def operator_of(release: Release, tenant: Tenant, packages: Path | None = None) -> Iterator[OperatorRun]:
    """The operator of this checkout, or that of another place; it is ready."""
    key = tenant.world.folder / "key"
    key.write_text(tenant.key)
    other = {} if packages is None else {"PYTHONPATH": str(packages)}
    with release.operator(key, **other) as operator:
        yield operator


def is_of(operator: OperatorRun, version: Previous) -> bool:
    return operator.figure("coldsend_build_info", commit=version.commit) == 1


def nothing_twice(tenant: Tenant) -> None:
    """Each inbox was made once, and only the one was deleted that was asked for."""
    everybody = {"ann", "bob", "leaving", *QUIET, *HALF, *LOST}
    created = [each["email_address"] for each in tenant.emulator.history(event="created")]
    assert sorted(created) == sorted(tenant.address(name) for name in everybody)
    deleted = [each["email_address"] for each in tenant.emulator.history(event="deleted")]
    assert deleted == [tenant.address("leaving")]
    assert tenant.emulator.doubled() == []


def uids(tenant: Tenant) -> dict[str, str]:
    found = [*tenant.server.items("SenderAccount", tenant.namespace)]
    found += tenant.server.items("SenderAccountBatch", tenant.namespace)
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in found}


def test_an_upgrade_finishes_what_the_previous_version_has_begun(
    tenant: Tenant, helm: Helm, previous: Previous
) -> None:
    release = install(tenant.world, helm, tenant.namespace, values(tenant), chart=previous.chart)
    established(tenant.world.cluster, *(f"crd/{name}" for name in CRDS))
    with operator_of(release, tenant, previous.packages) as operator:
        in_flight = put_in_flight(tenant)
        assert is_of(operator, previous)
        operator.kill()
        in_flight.release_calls()
    assert made_of_half(tenant) < len(HALF)
    before = uids(tenant)

    upgraded = upgrade(release, values(tenant))
    established(tenant.world.cluster, *(f"crd/{name}" for name in CRDS))
    with operator_of(upgraded, tenant) as operator:
        in_flight.finished()
        assert not is_of(operator, previous)
    nothing_twice(tenant)
    assert uids(tenant) == {name: uid for name, uid in before.items() if name != "leaving"}


def test_a_rollback_finishes_what_this_version_has_begun(tenant: Tenant, helm: Helm, previous: Previous) -> None:
    release = install(tenant.world, helm, tenant.namespace, values(tenant), chart=previous.chart)
    upgraded = upgrade(release, values(tenant))
    established(tenant.world.cluster, *(f"crd/{name}" for name in CRDS))
    with operator_of(upgraded, tenant) as operator:
        in_flight = put_in_flight(tenant)
        operator.kill()
        in_flight.release_calls()
    assert made_of_half(tenant) < len(HALF)
    before = uids(tenant)

    release.helm("rollback", RELEASE, "1", "--namespace", tenant.namespace)
    established(tenant.world.cluster, *(f"crd/{name}" for name in CRDS))
    with operator_of(release, tenant, previous.packages) as operator:
        in_flight.finished()
        assert is_of(operator, previous)
    nothing_twice(tenant)
    assert uids(tenant) == {name: uid for name, uid in before.items() if name != "leaving"}
