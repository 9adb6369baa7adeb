"""One workspace of the pure core: objects go in as JSON, calls come out, and the test gives the answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from coldsend_operator.accounts.reading import read_object
from coldsend_operator.core import apply
from coldsend_operator.core.apply import patches
from coldsend_operator.core.decide import decide_changed
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account, Credentials
from coldsend_operator.core.model.answers import Answer, Failure, FailureKind, Page, Row
from coldsend_operator.core.model.calls import Call, Lane, Operation, Scope
from coldsend_operator.core.model.create_marks import CreateMarks
from coldsend_operator.core.model.decision import Action, Decision
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.plan import make_plan
from coldsend_operator.core.status.projection import project
from coldsend_operator.core.workspace.breaker import Breaker
from coldsend_operator.core.workspace.claims import Claims
from coldsend_operator.core.workspace.workspace import Workspace
from coldsend_operator.resources.names import BATCH_KIND, FINALIZER
from tests.support.clock import START, rfc3339
from tests.support.simulation import spec_of

ANN, BOB = "ann@company.com", "bob@company.com"
LOST = Failure(FailureKind.LOST, "the connection was cut")
MISSING = Failure(FailureKind.NOT_FOUND, "", 404)
LANES = {Scope.CREATE: Lane.CREATE, Scope.DELETE: Lane.DELETE, Scope.MAIL: Lane.MAIL}
LONG_AGO = 10_000.0  # seconds before START at which objects were created
MARKS = CreateMarks(b"the key of the tests")
Raw = dict[str, Any]


class CoreWorld:
    """`stores`: what status must hold is stored at once, as if the API server had no delay.

    Objects count as found at a start until `lead` is called.
    """

    def __init__(self, digest: str = "digest-1", *, policy: Policy | None = None, claims: Claims | None = None) -> None:
        self.now = START
        self.stores = True
        self.workspace = Workspace(digest, policy or Policy(), claims or Claims())
        self.workspace.policy.create_marks = MARKS
        self.workspace.budget.book(10_000)

    @property
    def breaker(self) -> Breaker:
        """What ColdSend refuses to the key."""
        return self.workspace.keys.breaker(self.workspace.digest)

    # -- objects

    def account(self, address: str = ANN, **around: Any) -> Account:
        """A new object; `around` as in `object_of`."""
        number = len(self.workspace.accounts) + 1
        account = read_object(object_of(address, f"uid-{self.workspace.digest}-{number}", **around))
        if account.desired.spec.smtp is not None:
            account.credentials = Credentials("hmac-of-one")
        self.workspace.add(account, self.now)
        self.settle()
        return account

    def holder(self, address: str = ANN, inbox_id: str = "inbox-1", **around: Any) -> Account:
        """An object that holds an inbox created with its current spec; no list has shown the inbox yet."""
        origin = around.pop("origin", "Created")
        applied = around.pop("applied", {"workspace": self.workspace.digest})
        spec_hash = read_object(object_of(address, "uid", **around)).desired.spec.hash
        applied = {"specHash": spec_hash, "credentialsHash": "hmac-of-one", **applied}
        status = {"inboxID": inbox_id, "origin": origin, "lastApplied": applied, **around.pop("status", {})}
        return self.account(address, **{"finalizers": (FINALIZER,), **around, "status": status})

    def asked_for(self, *addresses: str, **around: Any) -> list[Account]:
        """Objects whose addresses are free, as a whole list has shown."""
        accounts = [self.account(address, **around) for address in addresses]
        self.sweep()
        return accounts

    def change(self, account: Account, address: str = ANN, **around: Any) -> None:
        """The API server shows another state of the object."""
        around = {"finalizers": account.desired.finalizers, "generation": account.desired.generation + 1, **around}
        desired = read_object(object_of(address, account.uid, **around)).desired
        self.workspace.update(account, desired)
        self.settle()

    def lead(self) -> None:
        """From now on new objects arrive at a running leader."""
        self.workspace.resume(self.now)

    # -- time and decisions

    def settle(self) -> None:
        for _ in range(4):
            decide_changed(self.workspace, self.now)
            for account in self.workspace.accounts.values():
                if self.stores and account.stored != account.confirmed:
                    self.workspace.status_stored(account.uid, account.stored)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.settle()

    def step(self, account: Account) -> Decision:
        self.workspace.touch(account.uid)
        self.settle()
        return self.workspace.decisions[account.uid]

    def calls(self) -> tuple[Call, ...]:
        """The calls that would be sent now."""
        self.settle()
        return make_plan(self.workspace, self.now).calls

    def operations(self) -> list[Operation]:
        return [call.operation for call in self.calls()]

    def says(self, account: Account) -> dict[str, tuple[str, str, str]]:
        """Status, reason and message of each condition."""
        self.settle()
        status = project(account, self.workspace, self.now) or {}
        return {
            condition["type"]: (condition["status"], condition["reason"], condition["message"])
            for condition in status.get("conditions", ())
        }

    # -- calls and answers

    def ask(self, operation: Operation, *accounts: Account, **fields: Any) -> Call:
        """Send this call now."""
        uids = tuple(account.uid for account in accounts)
        lane, key = LANES.get(operation.scope, Lane.PROBE), accounts[0].key if accounts else self.workspace.digest
        return self.send(Call(operation, lane, key, uids, **fields))

    def send(self, planned: Call) -> Call:
        """Send it now; before a create set the mark, as the loop does."""
        creating = [self.workspace.accounts[uid] for uid in planned.uids] if planned.operation.creates else []
        call = apply.launch(self.workspace, planned, self.now)
        for account in creating:
            transitions.create_prepared(account, account.credentials.digest if account.credentials else None)
            mark = float(int(self.now + self.workspace.kube_offset))
            transitions.marked(account, mark)
            patches.finalizers_added(
                self.workspace, account, (FINALIZER, *MARKS.texts(account.uid, mark, account.repeated_mark))
            )
        if call.writes:
            self.workspace.audit.intend(self.workspace, call)
        return call

    def answer(self, call: Call, outcome: Answer | Failure) -> None:
        apply.fold(self.workspace, call, outcome, self.now)
        self.settle()

    def sweep(self, *rows: Row, total: int | None = -1, seconds: float = 0.0) -> None:
        """A complete list of one page, which takes some seconds."""
        call = self.ask(Operation.LIST_ACCOUNTS)
        self.now += seconds
        self.answer(call, Page(rows, 1, len(rows) if total == -1 else total, 1, has_next=False))

    def show(self, *accounts: Account) -> None:
        """A whole list of the inboxes that these accounts hold."""
        self.sweep(*map(row_of, accounts))

    def search(self, account: Account, *rows: Row) -> None:
        call = self.ask(Operation.SEARCH_ACCOUNTS, account, address=account.address)
        self.answer(call, Page(rows, 1, len(rows), 1, has_next=False))

    def get(self, account: Account, outcome: Row | Failure = MISSING) -> None:
        """A GET of the inbox that the account shows."""
        self.answer(self.ask(Operation.GET_ACCOUNT, account, inbox_ids=(account.stored.inbox_id or "",)), outcome)

    def miss(self, account: Account) -> None:
        """A GET and complete lists no longer show the inbox, so that status names none any more."""
        self.sweep(row())
        self.wait(300.0)
        self.sweep()
        self.get(account)
        self.sweep()
        assert self.patch(account) is Action.FORGET
        assert account.stored.inbox_id is None

    def patch(self, account: Account) -> Action | None:
        """Carry out the write to Kubernetes that the account waits for."""
        self.settle()
        move = self.workspace.patches.get(account.uid)
        if move is not None:
            self.workspace.audit.ending(self.workspace, account, move)
        if move is Action.ADD_FINALIZER:
            since = account.marked_at if account.create_pending else None
            marks = () if since is None else MARKS.texts(account.uid, since, account.repeated_mark)
            patches.finalizers_added(self.workspace, account, (FINALIZER, *marks))
        elif move is not None:
            patches.finalizers_removed(self.workspace, account)
        self.settle()
        return move


def object_of(
    address: str,
    uid: str,
    *,
    name: str = "",
    namespace: str = "sales",
    status: Raw | None = None,
    finalizers: Sequence[str] = (),
    marked: float | None = None,
    deleting: bool = False,
    generation: int = 1,
    created: float = START - LONG_AGO,
    annotations: Mapping[str, str] | None = None,
    batch: str | None = None,
    **spec: Any,
) -> Raw:
    """A SenderAccount as the API server shows it; `marked` is the time of its create mark, if it has one."""
    metadata: Raw = {
        "uid": uid,
        "namespace": namespace,
        "name": name or address.partition("@")[0],
        "generation": generation,
        "resourceVersion": "1",
        "creationTimestamp": rfc3339(created),
        "annotations": dict(annotations or {}),
    }
    if marked is not None:
        finalizers = (FINALIZER, MARKS.text(uid, marked))
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    if deleting:
        metadata["deletionTimestamp"] = rfc3339(START)
    if batch is not None:
        metadata["ownerReferences"] = [{"kind": BATCH_KIND, "name": "pool", "uid": batch}]
    return {"metadata": metadata, "spec": spec_of(address, **spec), "status": status or {}}


def asked_for(address: str = ANN, **around: Any) -> tuple[CoreWorld, Account]:
    """A workspace with one object, whose address is free, as a whole list has shown."""
    core = CoreWorld()
    (account,) = core.asked_for(address, **around)
    return core, account


def held(address: str = ANN, inbox_id: str = "inbox-1", **around: Any) -> tuple[CoreWorld, Account]:
    """A workspace with one object that holds an inbox, which a whole list has shown."""
    core = CoreWorld()
    account = core.holder(address, inbox_id, **around)
    core.show(account)
    return core, account


def row_of(account: Account, **changes: Any) -> Row:
    """The inbox that an account holds, as ColdSend shows it."""
    return row(account.address or "", account.stored.inbox_id or "", **changes)


def row(address: str = ANN, inbox_id: str = "inbox-1", *, made: float = START, **changes: Any) -> Row:
    """The row of an inbox that was created as `object_of` asks."""
    fields: Raw = {
        "display_name": "Jane",
        "inbox_type": "GOOGLE_WORKSPACE",
        "overall_status": "ACTIVE",
        "health_score": 95.0,
        "created_at": rfc3339(made),
    }
    return Row(inbox_id, address, **{**fields, **changes})
