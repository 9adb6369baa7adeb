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
from tests.support.desk import ANN, BOB, LOST, MARKS, Desk, asked_for, object_of, row

DONE = JobProgress("COMPLETED", total=2, processed=2)
FIRST = "uid-digest-1-1"  # of the first object on a desk
FORGED = {
    "with_another_key": CreateMarks(b"guessed").text(FIRST, START - 60.0),
    "of_another_object": MARKS.text("uid-of-another", START - 60.0),
    "with_another_time": MARKS.text(FIRST, START).replace(f"{START:.0f}", f"{START - 60:.0f}"),
    "without_a_mac": f"coldsend.pro/creating.{START - 60:.0f}.",
    "of_no_form": "coldsend.pro/creating.yesterday",
}


def restarted(account: Account) -> tuple[Desk, Account]:
    """Another process reads what stands on the object now."""
    desk = Desk()
    desk.now = START + 200.0
    raw = object_of(account.address or ANN, account.uid, finalizers=account.desired.finalizers)
    found = read_object(raw)
    found.credentials = Credentials("hmac-of-one")
    desk.workspace.add(found, desk.now)
    return desk, found


@pytest.mark.parametrize("mark", FORGED.values(), ids=FORGED)
@pytest.mark.parametrize("leads", [False, True], ids=["at_a_start", "at_a_leader"])
def test_rule_39_a_forged_mark_matches_nothing(mark: str, leads: bool) -> None:
    desk = Desk()
    if leads:
        desk.lead()
    account = desk.account(finalizers=(FINALIZER, mark))
    desk.wait(130.0)
    desk.search(account, row(made=START - 58.0))
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("leads", [False, True], ids=["at_a_start", "at_a_leader"])
def test_rule_39_a_forged_mark_does_not_overtake_an_older_object(leads: bool) -> None:
    desk = Desk()
    if leads:
        desk.lead()
    older = desk.account()
    younger = desk.account(finalizers=(FINALIZER, FORGED["of_another_object"]), name="younger", created=START)
    desk.sweep()
    assert desk.step(older).reason is not Reason.ADDRESS_CONFLICT
    assert younger.unknown_create is None or younger.unknown_create.arrived
    desk.wait(130.0)
    desk.sweep()
    assert desk.step(younger).reason is Reason.ADDRESS_CONFLICT


def test_rule_39_a_leader_takes_a_forged_mark_off() -> None:
    desk = Desk()
    desk.lead()
    account = desk.account(finalizers=(FINALIZER, FORGED["with_another_key"]))
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    desk.sweep()
    assert desk.step(account).action is Action.CREATE


def test_rule_39_an_object_that_comes_marked_to_a_leader_is_waited_for_and_matches_nothing() -> None:
    desk = Desk()
    desk.lead()
    account = desk.account(marked=START - 10.0)
    desk.sweep()
    assert desk.step(account).action is not Action.CREATE
    desk.wait(130.0)
    desk.search(account, row(made=START - 8.0))
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_standby_that_takes_over_trusts_the_marks_that_it_has_seen() -> None:
    desk = Desk()
    account = desk.account(marked=START - 60.0)
    desk.lead()
    desk.sweep(row(made=START - 58.0))
    assert (account.stored.inbox_id, account.stored.origin) == ("inbox-1", "Created")


def test_rule_39_a_standby_has_marked_nothing_that_leaves_it_and_comes_back() -> None:
    desk = Desk()
    account = desk.account(marked=START - 60.0)
    desk.workspace.depart(account.uid, desk.now)
    desk.lead()
    account = desk.account(marked=START - 60.0)
    desk.sweep(row(made=START - 58.0))
    assert account.stored.inbox_id is None


def test_rule_39_a_mark_that_somebody_puts_back_later_comes_off_again() -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.PLAN_LIMIT, "plan", 402))
    mark = account.desired.finalizers
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    desk.change(account, finalizers=mark)
    assert desk.patch(account) is Action.REMOVE_FINALIZER


@pytest.mark.parametrize("marked", [START - 3700.0, START - 40_000.0], ids=["an_hour_ago", "long_ago"])
def test_rule_39_an_old_mark_does_not_match_what_was_made_more_than_an_hour_after_it(marked: float) -> None:
    desk = Desk()
    account = desk.account(marked=marked)
    desk.sweep(row(made=START - 50.0))
    desk.wait(130.0)
    desk.sweep(row(made=START - 50.0))
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_lost_create_is_over_after_its_wait_also_while_its_secret_is_missing() -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
    account.credentials = Credentials(None, Reason.SECRET_NOT_FOUND, "it is gone")
    desk.wait(130.0)
    desk.search(account)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    desk.wait(600.0)
    desk.sweep(row(made=desk.now - 5.0))
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_others_that_arrive_marked_do_not_prolong_the_wait_of_a_lost_create() -> None:
    desk = Desk()
    account = desk.account(marked=START - 60.0)
    desk.lead()
    desk.wait(100.0)
    desk.account(BOB, marked=START + 90.0)
    desk.wait(30.0)
    desk.sweep()
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert desk.step(account).action is Action.CREATE


def test_rule_39_members_of_one_call_still_wait_for_each_other_after_a_restart() -> None:
    desk = Desk()
    ann, bob = desk.account(marked=START - 60.0), desk.account(BOB, marked=START - 60.0)
    desk.wait(100.0)
    desk.sweep(row(made=START - 58.0))
    assert ann.stored.inbox_id == "inbox-1"
    desk.wait(100.0)
    desk.sweep(row())
    assert desk.patch(bob) is None
    desk.wait(21.0)
    desk.sweep(row())
    assert desk.patch(bob) is Action.REMOVE_FINALIZER


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
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), failure)
    assert desk.patch(account) is Action.REMOVE_FINALIZER
    assert account.desired.finalizers == ()
    desk, account = restarted(account)
    desk.sweep(row(made=START + 100.0))  # made by hand meanwhile
    assert account.stored.inbox_id is None
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("failure", NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_rule_39_a_paused_object_keeps_no_mark_of_a_known_outcome(failure: Failure) -> None:
    desk, account = asked_for()
    call = desk.ask(Operation.CREATE_SMTP, account)
    desk.change(account, annotations={"coldsend.pro/paused": "true"})
    desk.answer(call, failure)
    assert desk.patch(account) is Action.REMOVE_FINALIZER


def test_rule_39_each_create_has_a_mark_of_its_own_time() -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), NOTHING_DONE["429"])
    desk.patch(account)
    desk.wait(300.0)
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
    desk, account = restarted(account)
    desk.sweep(row(made=START + 100.0))  # made by hand between the two
    desk.wait(130.0)
    desk.sweep(row(made=START + 100.0))
    assert account.stored.inbox_id is None


def test_rule_39_an_inbox_made_by_hand_after_ours_was_deleted_by_hand_survives_the_deletion() -> None:
    desk = Desk()
    account = desk.holder(finalizers=(FINALIZER, MARKS.text(FIRST, START - 5_000.0)), deleting=True)
    desk.sweep(row(inbox_id="inbox-2", made=START - 3_000.0))
    desk.get(account)
    desk.search(account, row(inbox_id="inbox-2", made=START - 3_000.0))
    assert account.stored.inbox_id == "inbox-1"
    assert desk.step(account).action is Action.REMOVE_FINALIZER


@pytest.mark.parametrize("offset", [-50.0, 50.0, -100_000.0], ids=str)
@pytest.mark.parametrize("kind", ["single", "bulk", "job"])
def test_rule_39_a_clear_success_is_ours_whatever_the_clocks_say(offset: float, kind: str) -> None:
    desk = Desk()
    ann, bob = desk.asked_for(ANN, BOB)
    shown = [row(made=START + offset), row(BOB, "inbox-2", made=START + offset)]
    if kind == "single":
        desk.answer(desk.ask(Operation.CREATE_SMTP, ann), Created(shown[0]))
    else:
        call = desk.ask(Operation.CREATE_SMTP_BULK, ann, bob)
        desk.answer(call, BulkAnswer("job-1" if kind == "job" else None, 2, 2))
        if kind == "job":
            desk.wait(5.0)
            desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), DONE)
        desk.wait(1.0)
        desk.sweep(*shown)
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")


@pytest.mark.parametrize("made", [START - 50.0, None], ids=["clocks_differ", "without_created_at"])
def test_rule_39_a_job_that_tells_of_each_that_it_is_made_needs_no_clock_after_a_restart(made: float | None) -> None:
    desk = Desk()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    ann, bob = (desk.account(address, marked=START, status={"job": job}) for address in (ANN, BOB))
    desk.sweep()
    desk.wait(5.0)
    failed = ResultRow(BOB, None, success=False, message="connection failed")
    ended = JobProgress("COMPLETED", total=2, processed=2, succeeded=1, failed=1, results=(failed,))
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    changes = {"created_at": None} if made is None else {"made": made}
    desk.sweep(row(**changes), row(BOB, "inbox-2", **changes))
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")
    assert bob.stored.inbox_id is None


def test_rule_39_after_a_restart_clocks_decide_where_a_job_does_not_tell_of_each() -> None:
    desk = Desk()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    ann, _ = (desk.account(address, marked=START, status={"job": job}) for address in (ANN, BOB))
    desk.sweep()
    desk.wait(5.0)
    ended = JobProgress("COMPLETED", total=2, processed=2, succeeded=1, failed=1)
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    desk.sweep(row(made=START - 50.0))
    assert ann.stored.inbox_id is None


@pytest.mark.parametrize(("made", "ours"), [(START + 1.0, True), (START - 50.0, False)], ids=["in_time", "older"])
def test_rule_39_after_a_restart_clocks_decide_about_a_job_that_was_sent_another_name(made: float, ours: bool) -> None:
    desk = Desk()
    job = {"id": "job-1", "operation": "Create", "state": "Running"}
    account = desk.account(marked=START, status={"job": job})
    desk.sweep()
    desk.wait(5.0)
    ended = JobProgress("COMPLETED", total=1, processed=1, succeeded=1, failed=0)
    desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), ended)
    desk.sweep(row(made=made, display_name="As spec said before"))
    assert (account.stored.origin == "Created") == ours


def test_rule_39_a_row_that_says_failed_leaves_the_decision_to_the_clocks() -> None:
    desk = Desk()
    ann, bob = desk.asked_for(ANN, BOB)
    failed = ResultRow(ANN, None, success=False, message="connection failed")
    desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, ann, bob), BulkAnswer(None, 2, 1, 1, 0, (failed,)))
    desk.wait(1.0)
    desk.sweep(row(made=START - 50.0))
    assert ann.stored.inbox_id is None


@pytest.mark.parametrize(("made", "ours"), [(START - 50.0, False), (START + 1.0, True)], ids=["older", "in_time"])
def test_rule_39_a_success_that_names_an_inbox_known_before_the_call_is_not_ours(made: float, ours: bool) -> None:
    """An upsert answers so. The list began before the call and ended after it: only then clocks are asked."""
    desk, account = asked_for()
    listing = desk.ask(Operation.LIST_ACCOUNTS)
    desk.now += 1.0
    call = desk.ask(Operation.CREATE_SMTP, account)
    desk.answer(listing, Page((row(made=made),), 1, 1, 1, has_next=False))
    desk.answer(call, Created(row(made=made)))
    assert (account.stored.inbox_id == "inbox-1") == ours


@pytest.mark.parametrize("shown", [{"display_name": "By Hand"}, {"inbox_type": "OUTLOOK_365"}], ids=["name", "type"])
def test_rule_39_a_success_that_names_an_older_inbox_with_other_values_is_not_ours(shown: dict[str, str]) -> None:
    desk, account = asked_for()
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(row(made=START - 50.0, **shown)))
    assert account.stored.inbox_id is None
    desk.patch(account)
    assert desk.step(account).reason is Reason.ALREADY_EXISTS


def test_rule_39_a_success_that_names_an_inbox_of_another_object_is_not_ours() -> None:
    desk = Desk()
    desk.holder(name="other")
    account = desk.account(BOB)
    desk.sweep(row())
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(row(BOB)))
    assert account.stored.inbox_id is None


@pytest.mark.parametrize("wiped", [(), (FINALIZER,)], ids=["all", "the_mark_only"])
@pytest.mark.parametrize("kind", ["flying", "lost", "job"])
def test_rule_39_a_mark_that_is_wiped_comes_back_at_once_with_its_time(kind: str, wiped: tuple[str, ...]) -> None:
    desk = Desk()
    ann, bob = desk.asked_for(ANN, BOB)
    call = desk.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    mark = ann.desired.finalizers
    desk.wait(5.0)
    if kind != "flying":
        desk.answer(call, LOST if kind == "lost" else BulkAnswer("job-1", 2))
    desk.change(ann, finalizers=wiped, generation=1)
    assert desk.patch(ann) is Action.ADD_FINALIZER
    assert ann.desired.finalizers == mark


@pytest.mark.parametrize("kind", ["flying", "lost", "job"])
def test_rule_39_an_object_that_leaves_the_selector_and_comes_back_goes_on_with_its_create(kind: str) -> None:
    desk = Desk()
    desk.lead()
    ann, bob = desk.asked_for(ANN, BOB)
    desk.stores = False
    call = desk.ask(Operation.CREATE_SMTP_BULK, ann, bob)
    if kind != "flying":
        desk.answer(call, LOST if kind == "lost" else BulkAnswer("job-1", 2))
    desk.workspace.depart(ann.uid, desk.now)
    desk.wait(60.0)
    ann = read_object(object_of(ANN, ann.uid, finalizers=ann.desired.finalizers))
    ann.credentials = Credentials("hmac-of-one")
    desk.workspace.add(ann, desk.now)
    desk.settle()
    assert (ann.busy is not None, ann.job, ann.unknown_create is not None) == {
        "flying": (True, None, False),
        "lost": (False, None, True),
        "job": (False, "job-1", False),
    }[kind]
    if kind == "flying":
        desk.answer(call, BulkAnswer("job-1", 2))
    if kind != "lost":
        desk.answer(desk.ask(Operation.POLL_CREATE_JOB, job="job-1"), DONE)
    desk.wait(1.0)
    desk.sweep(row(made=START + 10.0))
    assert (ann.stored.inbox_id, ann.stored.origin) == ("inbox-1", "Created")


def test_rule_39_objects_that_left_are_not_remembered_for_ever() -> None:
    desk = Desk()
    for number in range(3):
        account = desk.account(f"{number}@company.com", marked=START)
        desk.workspace.depart(account.uid, desk.now)
        desk.wait(KEPT_SECONDS)
    assert len(desk.workspace.departed) <= 2


def test_rule_39_signs_of_lost_calls_are_not_kept_for_ever() -> None:
    desk = Desk()
    for number in range(5):
        account = desk.account(f"{number}@company.com")
        desk.sweep()
        desk.answer(desk.ask(Operation.CREATE_SMTP, account), LOST)
        desk.wait(1.0)
        desk.search(account, row(account.address or "", f"inbox-{number}", made=desk.now))
        desk.wait(3600.0)
    assert len(desk.workspace.lost_creates) <= 2


def test_rule_39_no_create_leaves_for_an_address_where_a_look_has_just_shown_an_inbox() -> None:
    desk, account = asked_for()
    call = desk.ask(Operation.CREATE_SMTP, account)
    desk.sweep(row())
    assert not still_due(account, call, account.desired.generation, desk.workspace)


@pytest.mark.parametrize(("seconds", "may_be_ours"), [(600.0, True), (4000.0, False)])
def test_rule_39_what_exists_when_a_create_goes_again_is_matched_for_an_hour_at_most(
    seconds: float, may_be_ours: bool
) -> None:
    desk = Desk()
    account, other = desk.account(), desk.account("other@company.com")
    desk.sweep()
    for _ in range(2):
        desk.answer(desk.ask(Operation.CREATE_SMTP_BULK, account, other), Failure(FailureKind.LOST, "no answer"))
    desk.workspace.splits[Scope.CREATE] = [(account.uid, other.uid)]  # for instance half of a larger one
    desk.wait(seconds)
    desk.sweep()
    assert desk.step(account).action is Action.CREATE
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Failure(FailureKind.CONFLICT, "email already exists", 409))
    assert (account.unknown_create is not None) == may_be_ours


@pytest.mark.parametrize(("made", "ours"), [(START - 5000.0, False), (START + 12.0, True)])
def test_rule_39_clocks_decide_about_what_a_look_shows_that_began_before_the_create_left(
    made: float, ours: bool
) -> None:
    desk, account = asked_for()
    desk.wait(10.0)
    look = desk.ask(Operation.LIST_ACCOUNTS)
    desk.wait(1.0)
    desk.answer(desk.ask(Operation.CREATE_SMTP, account), Created(None))
    desk.answer(look, Page((row(made=made),), 1, 1, 1, has_next=False))
    desk.wait(200.0)
    desk.sweep(row(made=made))
    assert (account.stored.origin == "Created") == ours


def test_rule_43_of_objects_that_left_under_a_create_no_more_are_kept_than_a_process_has() -> None:
    desk, departed = Desk(), Departed()
    account = desk.account()
    transitions.create_started(account, call=1)
    transitions.marked(account, START)
    for number in range(MAX_KEPT + 5):
        account.desired = replace(account.desired, uid=f"uid-{number}")
        departed.put(account, START)
    assert len(departed) == MAX_KEPT
    assert departed.pop("uid-4", START) is None
    assert departed.pop("uid-5", START) is not None
    assert departed.pop("uid-5", START) is None
