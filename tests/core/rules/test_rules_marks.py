"""Rule 39: a mark means that the outcome of a create of ours is unknown, and only the operator can make one."""

from dataclasses import replace

import pytest

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core.decide import still_due
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import BulkAnswer, Created, Failure, FailureKind, JobProgress, Page, ResultRow
from coldsend_operator.core.model.calls import Operation, Scope
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.core.model.decision import Action
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.workspace.open_creates import KEPT_SECONDS, MAX_KEPT, Departed
from coldsend_operator.resources.names import FINALIZER
from tests.support.clock import START
from tests.support.core_world import ANN, BOB, LOST, MARKS, CoreWorld, asked_for, object_of, row

DONE = JobProgress("COMPLETED", total=2, processed=2)
FIRST = "uid-digest-1-1"  # of the first object on a core
FORGED = {
    "with_another_key": CreateMarks(b"guessed").text(FIRST, START - 60.0),
    "of_another_object": MARKS.text("uid-of-another", START - 60.0),
    "with_another_time": MARKS.text(FIRST, START).replace(f"{START:.0f}", f"{START - 60:.0f}"),
    "without_a_mac": f"coldsend.pro/creating.{START - 60:.0f}.",
    "of_no_form": "coldsend.pro/creating.yesterday",
}


def restarted(account: Account) -> tuple[CoreWorld, Account]:
    """Another process reads what stands on the object now."""
    core = CoreWorld()
    core.now = START + 200.0
    raw = object_of(account.address or ANN, account.uid, finalizers=account.desired.finalizers)
    found = read_object(raw)
    found.credentials = Credentials("hmac-of-one")
    core.workspace.add(found, core.now)
    return core, found


@pytest.mark.parametrize("mark", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("leads", [False, True], ids=["at_a_start", "at_a_leader"])
def test_rule_39_a_forged_mark_matches_nothing(mark: str, leads: bool) -> None:
    core = CoreWorld()
    if leads:
        core.lead()
    account = core.account(finalizers=(FINALIZER, mark))
    core.wait(130.0)
    core.search(account, row(made=START - 58.0))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("leads", [False, True], ids=["at_a_start", "at_a_leader"])
def test_rule_39_a_forged_mark_does_not_overtake_an_older_object(leads: bool) -> None:
    core = CoreWorld()
    if leads:
        core.lead()
    older = core.account()
    younger = core.account(finalizers=(FINALIZER, FORGED["of_another_object"]), name="younger", created=START)
    core.sweep()
    assert core.step(older).reason is not Reason.ADDRESS_CONFLICT
    assert younger.unknown_create is None or younger.unknown_create.arrived
    core.wait(130.0)
    core.sweep()
    assert core.step(younger).reason is Reason.ADDRESS_CONFLICT


def test_rule_39_a_leader_takes_a_forged_mark_off() -> None:
    core = CoreWorld()
    core.lead()
    account = core.account(finalizers=(FINALIZER, FORGED["with_another_key"]))
    assert core.patch(account) is Action.REMOVE_FINALIZER
    core.sweep()
    assert core.step(account).action is Action.CREATE


def test_rule_39_an_object_that_comes_marked_to_a_leader_is_waited_for_and_matches_nothing() -> None:
    core = CoreWorld()
    core.lead()
    account = core.account(marked=START - 10.0)
    core.sweep()
    assert core.step(account).action is not Action.CREATE
    core.wait(130.0)
    core.search(account, row(made=START - 8.0))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_standby_that_takes_over_trusts_the_marks_that_it_has_seen() -> None:
    core = CoreWorld()
    account = core.account(marked=START - 60.0)
    core.lead()
    core.sweep(row(made=START - 58.0))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Created")


def test_rule_39_a_standby_has_marked_nothing_that_leaves_it_and_comes_back() -> None:
    core = CoreWorld()
    account = core.account(marked=START - 60.0)
    core.workspace.depart(account.uid, core.now)
    core.lead()
    account = core.account(marked=START - 60.0)
    core.sweep(row(made=START - 58.0))
    assert account.stored.inbox_id is None


def test_rule_39_a_mark_that_somebody_puts_back_later_comes_off_again() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.PLAN_LIMIT, "plan", 402))
    mark = account.desired.finalizers
    assert core.patch(account) is Action.REMOVE_FINALIZER
    core.change(account, finalizers=mark)
    assert core.patch(account) is Action.REMOVE_FINALIZER


@pytest.mark.parametrize("marked", [START - 3700.0, START - 40_000.0], ids=["an_hour_ago", "long_ago"])
def test_rule_39_an_old_mark_does_not_match_what_was_made_more_than_an_hour_after_it(marked: float) -> None:
    core = CoreWorld()
    account = core.account(marked=marked)
    core.sweep(row(made=START - 50.0))
    core.wait(130.0)
    core.sweep(row(made=START - 50.0))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_lost_create_is_over_after_its_wait_also_while_its_secret_is_missing() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    account.credentials = Credentials(None, Reason.SECRET_NOT_FOUND, "it is gone")
    core.wait(130.0)
    core.search(account)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    core.wait(600.0)
    core.sweep(row(made=core.now - 5.0))
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_others_that_arrive_marked_do_not_prolong_the_wait_of_a_lost_create() -> None:
    core = CoreWorld()
    account = core.account(marked=START - 60.0)
    core.lead()
    core.wait(100.0)
    core.account(BOB, marked=START + 90.0)
    core.wait(30.0)
    core.sweep()
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert core.step(account).action is Action.CREATE


def test_rule_39_members_of_one_call_still_wait_for_each_other_after_a_restart() -> None:
    core = CoreWorld()
    ann, bob = core.account(marked=START - 60.0), core.account(BOB, marked=START - 60.0)
    core.wait(100.0)
    core.sweep(row(made=START - 58.0))
    assert ann.stored.inbox_id == "inbox-1"
    core.wait(100.0)
    core.sweep(row())
    assert core.patch(bob) is None
    core.wait(21.0)
    core.sweep(row())
    assert core.patch(bob) is Action.REMOVE_FINALIZER


NOTHING_DONE = {
    "401": Failure(FailureKind.UNAUTHORIZED, "invalid key", 401),
    "402": Failure(FailureKind.PLAN_LIMIT, "plan limit", 402),
    "403": Failure(FailureKind.FORBIDDEN, "scope", 403, required=("create",)),
    "404": Failure(FailureKind.NOT_FOUND, "no such path", 404),
    "409": Failure(FailureKind.CONFLICT, "email already exists", 409),
    "422": Failure(FailureKind.REFUSED, "bad password", 422),
    "429": Failure(FailureKind.RATE_LIMITED, "slow down", 429),
    "not_sent": Failure(FailureKind.NOT_SENT, "no connection"),
}


@pytest.mark.parametrize("failure", NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_rule_39_an_outcome_that_is_known_takes_the_mark_off(failure: Failure) -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), failure)
    assert core.patch(account) is Action.REMOVE_FINALIZER
    assert account.desired.finalizers == ()
    core, account = restarted(account)
    core.sweep(row(made=START + 100.0))  # made by hand meanwhile
    assert account.stored.inbox_id is None
    assert core.step(account).reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("failure", NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_rule_39_a_paused_object_keeps_no_mark_of_a_known_outcome(failure: Failure) -> None:
    core, account = asked_for()
    call = core.ask(Operation.CREATE_SMTP, account)
    core.change(account, annotations={"coldsend.pro/paused": "true"})
    core.answer(call, failure)
    assert core.patch(account) is Action.REMOVE_FINALIZER


def test_rule_39_each_create_has_a_mark_of_its_own_time() -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), NOTHING_DONE["429"])
    core.patch(account)
    core.wait(300.0)
    core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
    core, account = restarted(account)
    core.sweep(row(made=START + 100.0))  # made by hand between the two
    core.wait(130.0)
    core.sweep(row(made=START + 100.0))
    assert account.stored.inbox_id is None


def test_rule_39_an_inbox_made_by_hand_after_ours_was_deleted_by_hand_survives_the_deletion() -> None:
    core = CoreWorld()
    account = core.holder(finalizers=(FINALIZER, MARKS.text(FIRST, START - 5_000.0)), deleting=True)
    core.sweep(row(inbox_id="inbox-2", made=START - 3_000.0))
    core.get(account)
    core.search(account, row(inbox_id="inbox-2", made=START - 3_000.0))
    assert account.stored.inbox_id == "inbox-1"
    assert core.step(account).action is Action.REMOVE_FINALIZER


@pytest.mark.parametrize("offset", [-50.0, 50.0, -100_000.0], ids=str)
@pytest.mark.parametrize("kind", ["single", "bulk", "job"])
def test_rule_39_a_clear_success_is_ours_whatever_the_clocks_say(offset: float, kind: str) -> None:
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    shown = [row(made=START + offset), row(BOB, "inbox-2", made=START + offset)]
    if kind == "single":
        core.answer(core.ask(Operation.CREATE_SMTP, ann), Created(shown[0]))
    else:
        call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob)
        core.answer(call, BulkAnswer("job-1" if kind == "job" else None, 2, 2))
        if kind == "job":
            core.wait(5.0)
            core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), DONE)
        core.wait(1.0)
        core.sweep(*shown)
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")


@pytest.mark.parametrize("made", [START - 50.0, None], ids=["clocks_differ", "without_created_at"])
def test_rule_39_a_job_that_tells_of_each_that_it_is_made_needs_no_clock_after_a_restart(made: float | None) -> None:
    core = CoreWorld()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    ann, bob = (core.account(address, marked=START, status={"job": job}) for address in (ANN, BOB))
    core.sweep()
    core.wait(5.0)
    failed = ResultRow(BOB, None, success=False, message="connection failed")
    ended = JobProgress("COMPLETED", total=2, processed=2, succeeded=1, failed=1, results=(failed,))
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    changes = {"created_at": None} if made is None else {"made": made}
    core.sweep(row(**changes), row(BOB, "inbox-2", **changes))
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")
    assert bob.stored.inbox_id is None


def test_rule_39_after_a_restart_clocks_decide_where_a_job_does_not_tell_of_each() -> None:
    core = CoreWorld()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    ann, _ = (core.account(address, marked=START, status={"job": job}) for address in (ANN, BOB))
    core.sweep()
    core.wait(5.0)
    ended = JobProgress("COMPLETED", total=2, processed=2, succeeded=1, failed=1)
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    core.sweep(row(made=START - 50.0))
    assert ann.stored.inbox_id is None


@pytest.mark.parametrize(("made", "ours"), [(START + 1.0, True), (START - 50.0, False)], ids=["in_time", "older"])
def test_rule_39_after_a_restart_clocks_decide_about_a_job_that_was_sent_another_name(made: float, ours: bool) -> None:
    core = CoreWorld()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    account = core.account(marked=START, status={"job": job})
    core.sweep()
    core.wait(5.0)
    ended = JobProgress("COMPLETED", total=1, processed=1, succeeded=1, failed=0)
    core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    core.sweep(row(made=made, display_name="As spec said before"))
    assert (account.stored.origin == "Created") == ours


def test_rule_39_a_row_that_says_failed_leaves_the_decision_to_the_clocks() -> None:
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    failed = ResultRow(ANN, None, success=False, message="connection failed")
    core.answer(core.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer(None, 2, 1, 1, 0, (failed,)))
    core.wait(1.0)
    core.sweep(row(made=START - 50.0))
    assert ann.stored.inbox_id is None


@pytest.mark.parametrize(("made", "ours"), [(START - 50.0, False), (START + 1.0, True)], ids=["older", "in_time"])
def test_rule_39_a_success_that_names_an_inbox_known_before_the_call_is_not_ours(made: float, ours: bool) -> None:
    """An upsert answers so. The list began before the call and ended after it: only then clocks are asked."""
    core, account = asked_for()
    listing = core.ask(Operation.LIST_ACCOUNTS)
    core.now += 1.0
    call = core.ask(Operation.CREATE_SMTP, account)
    core.answer(listing, Page((row(made=made),), 1, 1, 1, has_next=False))
    core.answer(call, Created(row(made=made)))
    assert (account.stored.inbox_id == "inbox-1") == ours


@pytest.mark.parametrize("shown", [{"display_name": "By Hand"}, {"inbox_type": "OUTLOOK_365"}], ids=["name", "type"])
def test_rule_39_a_success_that_names_an_older_inbox_with_other_values_is_not_ours(shown: dict[str, str]) -> None:
    core, account = asked_for()
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row(made=START - 50.0, **shown)))
    assert account.stored.inbox_id is None
    core.patch(account)
    assert core.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_success_that_names_an_inbox_of_another_object_is_not_ours() -> None:
    core = CoreWorld()
    core.holder(name="other")
    account = core.account(BOB)
    core.sweep(row())
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(row(BOB)))
    assert account.stored.inbox_id is None


@pytest.mark.parametrize("wiped", [(), (FINALIZER,)], ids=["all", "the_mark_only"])
@pytest.mark.parametrize("kind", ["flying", "lost", "job"])
def test_rule_39_a_mark_that_is_wiped_comes_back_at_once_with_its_time(kind: str, wiped: tuple[str, ...]) -> None:
    core = CoreWorld()
    ann, bob = core.asked_for(ANN, BOB)
    call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    mark = ann.desired.finalizers
    core.wait(5.0)
    if kind != "flying":
        core.answer(call, LOST if kind == "lost" else BulkAnswer("job-1", 2))
    core.change(ann, finalizers=wiped, generation=1)
    assert core.patch(ann) is Action.ADD_FINALIZER
    assert ann.desired.finalizers == mark


@pytest.mark.parametrize("kind", ["flying", "lost", "job"])
def test_rule_39_an_object_that_leaves_the_selector_and_comes_back_goes_on_with_its_create(kind: str) -> None:
    core = CoreWorld()
    core.lead()
    ann, bob = core.asked_for(ANN, BOB)
    core.stores = False
    call = core.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    if kind != "flying":
        core.answer(call, LOST if kind == "lost" else BulkAnswer("job-1", 2))
    core.workspace.depart(ann.uid, core.now)
    core.wait(60.0)
    ann = read_object(object_of(ANN, ann.uid, finalizers=ann.desired.finalizers))
    ann.credentials = Credentials("hmac-of-one")
    core.workspace.add(ann, core.now)
    core.settle()
    assert (ann.busy is not None, ann.job, ann.unknown_create is not None) == {
        "flying": (True, None, False),
        "lost": (False, None, True),
        "job": (False, "job-1", False),
    }[kind]
    if kind == "flying":
        core.answer(call, BulkAnswer("job-1", 2))
    if kind != "lost":
        core.answer(core.ask(Operation.POLL_CREATE_JOB, job="job-1"), DONE)
    core.wait(1.0)
    core.sweep(row(made=START + 10.0))
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")


def test_rule_39_objects_that_left_are_not_remembered_for_ever() -> None:
    core = CoreWorld()
    for number in range(3):
        account = core.account(f"{number}@company.com", marked=START)
        core.workspace.depart(account.uid, core.now)
        core.wait(KEPT_SECONDS)
    assert len(core.workspace.departed) <= 2


def test_rule_39_signs_of_lost_calls_are_not_kept_for_ever() -> None:
    core = CoreWorld()
    for number in range(5):
        account = core.account(f"{number}@company.com")
        core.sweep()
        core.answer(core.ask(Operation.CREATE_SMTP, account), LOST)
        core.wait(1.0)
        core.search(account, row(account.address or "", f"inbox-{number}", made=core.now))
        core.wait(3600.0)
    assert len(core.workspace.lost_creates) <= 2


def test_rule_39_no_create_leaves_for_an_address_where_a_look_has_just_shown_an_inbox() -> None:
    core, account = asked_for()
    call = core.ask(Operation.CREATE_SMTP, account)
    core.sweep(row())
    assert not still_due(account, call, account.desired.generation, core.workspace)


@pytest.mark.parametrize(("seconds", "may_be_ours"), [(600.0, True), (4000.0, False)])
def test_rule_39_what_exists_when_a_create_goes_again_is_matched_for_an_hour_at_most(
    seconds: float, may_be_ours: bool
) -> None:
    core = CoreWorld()
    account, other = core.account(), core.account("other@company.com")
    core.sweep()
    for _ in range(2):
        core.answer(core.ask(Operation.CREATE_SMTP_BULK, account, other), Failure(FailureKind.LOST, "no answer"))
    core.workspace.splits[Scope.CREATE] = [(account.uid, other.uid)]  # for instance half of a larger one
    core.wait(seconds)
    core.sweep()
    assert core.step(account).action is Action.CREATE
    core.answer(core.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.CONFLICT, "email already exists", 409))
    assert (account.unknown_create is not None) == may_be_ours


@pytest.mark.parametrize(("made", "ours"), [(START - 5000.0, False), (START + 12.0, True)])
def test_rule_39_clocks_decide_about_what_a_look_shows_that_began_before_the_create_left(
    made: float, ours: bool
) -> None:
    core, account = asked_for()
    core.wait(10.0)
    look = core.ask(Operation.LIST_ACCOUNTS)
    core.wait(1.0)
    core.answer(core.ask(Operation.CREATE_SMTP, account), Created(None))
    core.answer(look, Page((row(made=made),), 1, 1, 1, has_next=False))
    core.wait(200.0)
    core.sweep(row(made=made))
    assert (account.stored.origin == "Created") == ours


def test_rule_43_of_objects_that_left_under_a_create_no_more_are_kept_than_a_process_has() -> None:
    core, departed = CoreWorld(), Departed()
    account = core.account()
    transitions.create_started(account, call=1)
    transitions.marked(account, START)
    for number in range(MAX_KEPT + 5):
        account.desired = replace(account.desired, uid=f"uid-{number}")
        departed.put(account, START)
    assert len(departed) == MAX_KEPT
    assert departed.pop("uid-4", START) is None
    assert departed.pop("uid-5", START) is not None
    assert departed.pop("uid-5", START) is None
