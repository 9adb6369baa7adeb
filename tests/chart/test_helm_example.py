"""examples/helm: mailboxes as values, and what Helm's waiting (kstatus) makes of our conditions."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from coldsend_operator.resources.crd import UNSEEN
from coldsend_operator.resources.reading import read_batch
from tests.chart.support import ROOT, Helm, HelmError, Object, rendered
from tests.e2e.batches.pool import Pool
from tests.e2e.support.gated_operators import GatedOperators, gated_operators
from tests.e2e.support.tenant import LOGIN, WORKSPACE, Tenant
from tests.e2e.support.world import World

EXAMPLE = ROOT / "examples" / "helm"
POOL = "pool"
CREATE = "POST .*/sender-accounts/smtp"
SECONDS = 60
LATE = "30m"  # when Helm gives up; what it calls Failed it does not wait for


@dataclass
class Mailboxes:
    """The example's release of one tenant. What is in `boxes` is what people would write into values.yaml."""

    tenant: Tenant
    operators: GatedOperators
    helm: Helm
    boxes: dict[str, Object]

    @property
    def pool(self) -> Pool:
        return Pool(self.tenant, POOL)

    def arguments(self, *flags: str) -> list[str]:
        base = dict.fromkeys(yaml.safe_load((EXAMPLE / "values.yaml").read_text())["mailboxes"])
        template = {"smtp": {"passwordSecretRef": {"name": LOGIN}}, "apiKeySecretRef": {"name": WORKSPACE}}
        boxes = {name: {"displayName": name, "passwordKey": "password", **box} for name, box in self.boxes.items()}
        values = {"domain": self.tenant.domain, "template": template, "mailboxes": {**base, **boxes}}
        return [POOL, str(EXAMPLE), "--namespace", self.tenant.namespace, "--values", self.helm.values(values), *flags]

    def install(self, *flags: str) -> None:
        self.helm("install", *self.arguments(*flags))

    def started(self, command: str, *flags: str) -> "subprocess.Popen[str]":
        return self.helm.started(command, *self.arguments(*flags))

    def label(self) -> None:
        """The operator of the test looks at labelled batches only; children copy the label."""
        change = {"metadata": {"labels": self.operators.labels}}
        self.tenant.server.merge("SenderAccountBatch", self.tenant.namespace, POOL, change)


@pytest.fixture
def mailboxes(world: World, helm: Helm) -> Iterator[Mailboxes]:
    with _mailboxes(world, helm) as made:
        yield made


@contextmanager
def _mailboxes(world: World, helm: Helm) -> Iterator[Mailboxes]:
    with gated_operators(world, "example") as (operators, tenant):
        yield Mailboxes(tenant, operators, helm.at(world.cluster), {"ann": {}, "bob": {"dailyLimit": 20}})


def test_the_example_is_a_batch_without_problems(helm: Helm) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(EXAMPLE))
    (batch,) = rendered(helm("template", "sales-pool", str(EXAMPLE), "--namespace", "sales")).objects
    reading = read_batch(batch["spec"])
    assert reading.problems == ()
    assert [item["emailAddress"] for item in batch["spec"]["inboxes"]] == [
        "ann@company.com",
        "bob@company.com",
        "carol.lee@company.com",
    ]


def test_an_example_without_mailboxes_is_an_empty_list(helm: Helm) -> None:
    nobody = helm.values({"mailboxes": {"ann": None, "bob": None, "carol.lee": None}})
    (batch,) = rendered(helm("template", "sales-pool", str(EXAMPLE), "--values", nobody)).objects
    assert batch["spec"]["inboxes"] == []


def test_a_password_among_the_values_is_refused(helm: Helm) -> None:
    with pytest.raises(HelmError, match="password"):
        helm("template", str(EXAMPLE), "--values", helm.values({"mailboxes": {"ann": {"password": "hush"}}}))


@pytest.mark.parametrize("name", ["no", "on", "y", "Off", "007", "1e3", "0x1f", "~"])
def test_a_mailbox_that_yaml_reads_as_something_else_is_refused(helm: Helm, tmp_path: Path, name: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(f"mailboxes:\n  {name}: {{displayName: Somebody}}\n")
    with pytest.raises(HelmError, match=r"propertyName|map key"):
        helm("template", "sales-pool", str(EXAMPLE), "--values", str(values))


@pytest.mark.parametrize("name", ["nora", "on-call", "y2", "a.007", "null-sec", "team1"])
def test_a_mailbox_whose_name_only_begins_so_is_taken(helm: Helm, tmp_path: Path, name: str) -> None:
    values = tmp_path / "values.yaml"
    values.write_text(f"mailboxes:\n  {name}: {{displayName: Somebody}}\n")
    assert f'"{name}@company.com"' in helm("template", "sales-pool", str(EXAMPLE), "--values", str(values))


def test_the_api_server_takes_the_example(world: World, helm: Helm) -> None:
    path = world.folder / "example.yaml"
    path.write_text(helm("template", "sales-pool", str(EXAMPLE), "--namespace", "default"))
    said = world.server.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", str(path))
    assert said.stdout.count("serverside-applied (server dry run)") == 1


def test_an_install_waits_for_the_operator_and_then_for_the_inboxes(mailboxes: Mailboxes) -> None:
    with mailboxes.started("install", "--wait") as waiting:
        mailboxes.pool.until(lambda shown: shown.status == UNSEEN, "the default of the schema")
        mailboxes.label()
        create = mailboxes.operators.coldsend.hold(CREATE, when="before")
        with mailboxes.operators.operator():
            assert create.reached.wait(SECONDS)
            assert waiting.poll() is None
            mailboxes.operators.coldsend.release(create)
            assert waiting.wait(SECONDS) == 0
            assert mailboxes.pool.until(lambda _: True, "itself").status["ready"] == 2


def test_an_upgrade_waits_until_the_batch_is_ready_again(mailboxes: Mailboxes) -> None:
    mailboxes.install()
    mailboxes.label()
    with mailboxes.operators.operator():
        mailboxes.pool.ready()
        create = mailboxes.operators.coldsend.hold(CREATE, when="before")
        mailboxes.boxes["carl"] = {}
        with mailboxes.started("upgrade", "--wait") as waiting:
            assert create.reached.wait(SECONDS)
            mailboxes.pool.until(lambda shown: shown.settled and shown.status["ready"] == 2, "two of three")
            assert waiting.poll() is None
            mailboxes.operators.coldsend.release(create)
            assert waiting.wait(SECONDS) == 0
        found = mailboxes.pool.raw()
        assert found is not None
        assert found["status"]["ready"] == 3


@pytest.mark.parametrize("key", ["not-there", "wrong"])
def test_what_waiting_does_not_cure_fails_long_before_the_timeout_with_its_message(
    mailboxes: Mailboxes, key: str
) -> None:
    wrong = f"{mailboxes.tenant.password} wrong"
    mailboxes.tenant.emulator.break_connections(passwords=[wrong])
    mailboxes.tenant.secret(password=mailboxes.tenant.password, wrong=wrong)
    mailboxes.install()
    mailboxes.label()
    with mailboxes.operators.operator():
        mailboxes.pool.ready()
        mailboxes.boxes["carl"] = {"passwordKey": key}
        with mailboxes.started("upgrade", "--wait", "--timeout", LATE) as waiting:
            _, complaint = waiting.communicate(timeout=SECONDS)
        assert waiting.returncode == 1
        assert f"{POOL} not ready. status: Failed" in complaint
        assert mailboxes.pool.until(lambda _: True, "itself").message("Ready") in complaint
        reason = {"not-there": "SecretKeyNotFound", "wrong": "ConnectionFailed"}[key]
        assert mailboxes.pool.account("carl").condition("Stalled") == f"True {reason}"


def test_an_uninstall_waits_until_the_inboxes_are_gone(mailboxes: Mailboxes) -> None:
    mailboxes.install()
    mailboxes.label()
    with mailboxes.operators.operator():
        mailboxes.pool.ready()
        mailboxes.helm("uninstall", POOL, "--namespace", mailboxes.tenant.namespace, "--wait")
        assert mailboxes.tenant.emulator.inboxes(workspace=mailboxes.tenant.workspace) == []
        assert mailboxes.pool.raw() is None
