"""The manifests of the demo from a Git repository, brought into the cluster by a real Argo CD.

The tests follow each other as a team works: a first sync, a change, a removal, and an accident by hand.
At the end another team has the Job of examples/argocd/presync-plan.yaml in its repository.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import yaml

from coldsend_emulator.running import RunningEmulator
from tests.chart.support import ROOT
from tests.cluster.argo_cd import ArgoCD, Repository, argo_cd
from tests.cluster.figures import Figures
from tests.cluster.operator_release import DEMO, DOMAIN, NAMESPACE, SALES, Release, native_accounts, until
from tests.e2e.support.api_server import named

APPLICATION = "outreach"
PAGE = ROOT / "docs" / "how-to" / "argo-cd.md"
PRESYNC = ROOT / "examples" / "argocd" / "presync-plan.yaml"
TEAM = "presync"
SELLERS = tuple(f"seller-{number:02}" for number in range(12))  # more than the brake lets go at once


@pytest.fixture(scope="module")
def argo(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCD]:
    with argo_cd(release.place, release.server, tmp_path_factory.mktemp("argocd")) as found:
        yield found


@pytest.fixture(scope="module")
def repository(
    release: Release, argo: ArgoCD, figures: Figures, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Repository]:
    """The demo in Git, once Argo CD has brought it into the cluster."""
    made = Repository.made(tmp_path_factory.mktemp("git") / "inboxes", DEMO)
    began = monotonic()
    argo.follow(APPLICATION, made, SALES)
    until(lambda: argo.good(APPLICATION), "a Synced and Healthy application", argo.story)
    figures.seconds("Argo CD, from the Application to Synced and Healthy", monotonic() - began)
    yield made
    argo.remove(APPLICATION)
    release.remove()


def test_that_the_demo_from_git_is_synced_and_healthy(release: Release, argo: ArgoCD, repository: Repository) -> None:
    assert release.all_ready(4)
    assert argo.health(APPLICATION) == dict.fromkeys(("custom", "google", "native", "outlook"), "Healthy")


def test_that_nothing_differs_after_the_sync(release: Release, argo: ArgoCD, repository: Repository) -> None:
    before = argo.syncs(APPLICATION)
    release.kubectl("annotate", "senderaccount", "--all", "--namespace", SALES, "coldsend.pro/reconcile=now")
    release.emulator.change(release.emulator.inboxes()[0]["inbox_id"], health_score=88)
    until(lambda: "88" in str(release.server.items("SenderAccount", SALES)), "another health score", release.story)

    argo.look(APPLICATION, "hard")

    assert argo.good(APPLICATION)
    assert argo.syncs(APPLICATION) == before


def test_that_a_change_in_git_reaches_coldsend(
    release: Release, argo: ArgoCD, repository: Repository, emulator: RunningEmulator
) -> None:
    manifest = repository.folder / "native.yaml"
    native = yaml.safe_load(manifest.read_text())
    native["spec"] |= {"displayName": "Jane Smith", "updatePolicy": "Recreate"}
    manifest.write_text(yaml.safe_dump(native))
    repository.commit("Give John's inbox to Jane")

    argo.look(APPLICATION)
    until(
        lambda: [each["display_name"] for each in emulator.inboxes(address="john@mail.example.com")] == ["Jane Smith"],
        "the new name in ColdSend",
        argo.story,
    )
    until(lambda: argo.good(APPLICATION) and release.all_ready(4), "a Healthy application", argo.story)


def test_that_a_removal_in_git_removes_object_and_inbox(
    release: Release, argo: ArgoCD, repository: Repository, emulator: RunningEmulator
) -> None:
    (repository.folder / "outlook.yaml").unlink()
    repository.commit("Close the Outlook mailbox")

    argo.look(APPLICATION)
    until(lambda: not emulator.inboxes(address="oscar@example.com"), "the end of the inbox", argo.story)
    until(lambda: argo.good(APPLICATION) and release.all_ready(3), "a Healthy application", argo.story)

    assert "outlook" not in release.accounts()


def test_that_an_object_deleted_by_hand_comes_back(
    release: Release, argo: ArgoCD, repository: Repository, emulator: RunningEmulator
) -> None:
    (before,) = emulator.inboxes(address="grace@example.com")

    release.kubectl("delete", "senderaccount", "google", "--namespace", SALES)
    until(lambda: release.all_ready(3), "the account again", argo.story)
    until(lambda: argo.good(APPLICATION), "a Healthy application", argo.story)

    (after,) = emulator.inboxes(address="grace@example.com")
    assert after["inbox_id"] != before["inbox_id"]


def test_that_argo_cd_undoes_an_edit_by_hand(
    release: Release, argo: ArgoCD, repository: Repository, emulator: RunningEmulator
) -> None:
    history = emulator.history()
    release.kubectl(
        "patch", "senderaccount", "custom", "--namespace", SALES, "--type=merge", "--patch", '{"spec":{"dailyLimit":9}}'
    )

    until(
        lambda: (release.server.get("SenderAccount", SALES, "custom") or {})["spec"]["dailyLimit"] == 200,
        "the limit of Git",
        argo.story,
    )
    until(lambda: argo.good(APPLICATION) and release.all_ready(3), "a Healthy application", argo.story)
    assert emulator.history() == history


@pytest.fixture
def guarded(release: Release, argo: ArgoCD, tmp_path: Path) -> Iterator[Repository]:
    """A repository with the PreSync Job, made as the page says, and its accounts Ready in the cluster."""
    content = tmp_path / "content"
    content.mkdir()
    (kustomization,) = re.findall(r'```yaml title="kustomization.yaml"\n(.*?)```', PAGE.read_text(), re.DOTALL)
    kustomization = re.sub(r" *- (10-passwords|30-batch)\.yaml\n", "", kustomization)
    (content / "kustomization.yaml").write_text(kustomization.replace("namespace: outreach", f"namespace: {TEAM}"))
    job = PRESYNC.read_text().replace("registry.example.com/coldsend-operator:0.1.0", release.place.image)
    assert f"value: {NAMESPACE}" in job
    (content / PRESYNC.name).write_text(job)
    (content / "20-accounts.yaml").write_text(yaml.safe_dump_all(native_accounts(TEAM, *SELLERS)))
    release.server.apply(named("Namespace", "", TEAM))
    made = Repository.made(tmp_path / "inboxes", content)
    argo.follow(TEAM, made, TEAM)
    until(lambda: argo.good(TEAM), "a Synced and Healthy application", argo.story)
    yield made
    argo.remove(TEAM)
    release.remove(TEAM)


def test_that_a_wipe_in_git_is_stopped_by_the_presync_job_until_somebody_approves_it(
    release: Release, argo: ArgoCD, guarded: Repository, emulator: RunningEmulator
) -> None:
    assert release.all_ready(len(SELLERS), TEAM)
    before = emulator.history()
    accounts = guarded.folder / "20-accounts.yaml"

    accounts.write_text(yaml.safe_dump_all(native_accounts(TEAM, SELLERS[0])))
    guarded.commit("Let all go but one, by accident")
    argo.look(TEAM)
    until(lambda: argo.hook_phase(TEAM, "Job") == "Failed", "the failure of the PreSync Job", argo.story)

    log = release.kubectl("logs", "--namespace", TEAM, "job/presync-plan")
    assert f"{len(SELLERS) - 1} to hold" in log, log
    assert release.all_ready(len(SELLERS), TEAM)
    assert not [each for each in release.server.items("SenderAccount", TEAM) if "deletionTimestamp" in each["metadata"]]
    assert emulator.history() == before

    release.kubectl("annotate", "namespace", TEAM, "coldsend.pro/approve-deletion=true")
    until(lambda: release.all_ready(1, TEAM), "the deletions, at the next try of the same sync", argo.story)
    until(lambda: argo.good(TEAM), "a Healthy application", argo.story)
    left = {each["email_address"] for each in emulator.inboxes()}
    assert left.isdisjoint(f"{name}@{DOMAIN}" for name in SELLERS[1:])
    assert f"{SELLERS[0]}@{DOMAIN}" in left
