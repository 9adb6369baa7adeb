"""Records the requests of each object over time, and so what the operator may do for it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.resources.names import FORCE_ORPHAN_ANNOTATION
from tests.support.cluster import FakeCluster, Raw
from tests.support.remote import DOMAIN, FakeColdSend, Inbox

DELETION_SECONDS = 100.0  # longer than a delete job of ColdSend takes
SENT = ("displayName", "dailyLimit", "smtp")


@dataclass
class Story:
    """The requests of one object over time."""

    namespace: str
    name: str
    address: str
    may_delete: bool = False  # whether its policy was ever Delete
    may_adopt: bool = False
    may_recreate: bool = False  # whether its policy was Recreate and something changed
    recreates: bool = False
    changed: bool = False
    ready_may_go: bool = False
    deleted: bool = False


@dataclass
class Listing:
    """The requests of one batch over time."""

    namespace: str
    name: str
    addresses: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)  # not in the list at some time
    deleted: bool = False
    unavailable: int = 1


@dataclass(frozen=True)
class Out:
    """A child of a batch whose inbox is being replaced."""

    batch: str
    inbox: Inbox
    at: float


@dataclass
class Stories:
    """`violations` are broken rules; `loose` are addresses whose inbox need not belong to an object."""

    cluster: FakeCluster
    remote: FakeColdSend
    violations: list[str] = field(default_factory=list)
    by_uid: dict[str, Story] = field(default_factory=dict)
    batches: dict[str, Listing] = field(default_factory=dict)
    loose: set[str] = field(default_factory=set)
    keys: dict[str, set[str]] = field(default_factory=dict)  # Secrets with API keys, by address
    out: dict[str, Out] = field(default_factory=dict)  # children that are being replaced
    looks_like_ours: Callable[[Inbox], bool] = lambda inbox: False  # rule 6 takes it for the one of a lost create

    # -- requests of people

    def stored(self, before: Raw | None, after: Raw) -> None:
        """The API server stored this state of a SenderAccount."""
        metadata, spec = after["metadata"], after["spec"]
        uid = metadata["uid"]
        address = address_key(spec.get("emailAddress") or _native_address(spec))
        if uid not in self.by_uid:  # it may take over an inbox created with another spec
            others = any(other.address == address for other in self.by_uid.values())
            self.by_uid[uid] = Story(metadata["namespace"], metadata["name"], address, changed=others)
        story = self.by_uid[uid]
        self.keys.setdefault(address, set()).add((spec.get("apiKeySecretRef") or {}).get("name", ""))
        if before is not None and before["metadata"]["uid"] == uid:
            changed = {
                name for name in before["spec"].keys() | spec.keys() if before["spec"].get(name) != spec.get(name)
            }
            self._changed(story, changed, after)
        observes, orphans = spec.get("managementPolicy") == "Observe", spec.get("deletionPolicy") == "Orphan"
        leaving = story.deleted or "deletionTimestamp" in metadata
        if observes or (orphans and leaving) or metadata["annotations"].get(FORCE_ORPHAN_ANNOTATION) == "true":
            self.loose.add(story.address)
        story.may_delete = story.may_delete or not (orphans or observes)
        story.may_adopt = story.may_adopt or spec.get("adoptionPolicy") == "Adopt"
        story.recreates = story.recreates or spec.get("updatePolicy") == "Recreate"

    def _changed(self, story: Story, fields: set[str], raw: Raw) -> None:
        story.changed = story.changed or bool(fields.intersection(SENT))
        if fields & {"managementPolicy", "adoptionPolicy"}:
            story.ready_may_go = True
            self.loose.add(story.address)
        if "displayName" in fields and not (raw.get("status") or {}).get("inboxID"):
            self.loose.add(
                story.address
            )  # after a restart only the name identifies the inbox of a lost create (rule 6)

    def rotated(self, namespace: str) -> None:
        for story in self.by_uid.values():
            story.changed = story.changed or story.namespace == namespace

    def ended(self, uid: str) -> None:
        """A person, or Kubernetes, deletes the object."""
        self.by_uid[uid].deleted = True
        raw = self.cluster.find(uid)
        if raw is not None and raw["spec"].get("deletionPolicy") == "Orphan":
            self.loose.add(self.by_uid[uid].address)

    def listed(self, uid: str, listing: Listing, addresses: Iterable[str], template: dict[str, Any]) -> None:
        """A batch lists these addresses."""
        wanted = {address_key(address) for address in addresses}
        listing.unlisted |= listing.addresses - wanted
        listing.addresses = wanted
        self.batches[uid] = listing
        if template.get("deletionPolicy") == "Orphan":
            self.loose |= listing.addresses | listing.unlisted

    def binds(self, address: str) -> bool:
        """Whether no second create may be sent: the operator learns that two keys share a workspace from an inbox."""
        return address not in self.loose and len(self.keys.get(address, ())) < 2

    # -- actions of the operator

    def end_asked(self, raw: Raw) -> None:
        """The operator deletes a child."""
        uid = raw["metadata"]["uid"]
        owner = next((owner["uid"] for owner in raw["metadata"].get("ownerReferences") or ()), "")
        listing, story = self.batches.get(owner), self.by_uid[uid]
        if listing is None or not (listing.deleted or story.address in listing.unlisted):
            self.violations.append(f"the child {story.name} is deleted, and nobody asked for that")
        story.deleted = True

    def deletion_left(self, accounts: dict[str, Account], inbox_ids: Sequence[str], policy: Policy) -> None:
        """No inbox is deleted that another known object is to take over (rule 30)."""
        for holder in accounts.values():
            desired, spec = holder.desired, holder.desired.spec
            if holder.stored.inbox_id not in inbox_ids or not desired.finalized or desired.deleting is None:
                continue
            if holder.stored.job is not None:
                continue  # a delete was sent before a restart
            for other in accounts.values():
                wanted = other.desired
                paused = policy.paused(wanted)
                claims = not (wanted.deleting or paused or wanted.problems or wanted.spec.observe)
                same = (wanted.namespace, wanted.spec.identity, wanted.spec.key) == (
                    desired.namespace,
                    spec.identity,
                    spec.key,
                )
                # One key leads to one workspace, but the inbox may be of the key that the holder named before.
                same = same and other.workspace_digest in {"", holder.workspace_digest}
                if claims and same and not other.stored.held and other.key_problem is None and other.uid != holder.uid:
                    self.violations.append(f"{desired.name} deletes what {wanted.name} was to take over")

    def deletion_arrived(self, accounts: dict[str, Account], inbox_ids: Sequence[str]) -> None:
        for inbox_id in inbox_ids:
            inbox = self.remote.inboxes.get(inbox_id)
            if inbox is None:
                continue  # of another workspace
            holders = [
                uid for uid, account in accounts.items() if account.is_holder and account.stored.inbox_id == inbox_id
            ]  # an object without finalizer holds none, even before its event arrives
            if len(holders) != 1:
                self.violations.append(f"{inbox_id} is deleted, held by {holders}")
            for uid in holders:
                self._judge_deletion(self.by_uid[uid], inbox, uid)
                self._judge_share(uid, inbox)

    def _judge_deletion(self, story: Story, inbox: Inbox, uid: str) -> None:
        if inbox.address != story.address:
            self.violations.append(f"{uid} of {story.address} deletes {inbox.inbox_id} of {inbox.address}")
        adopted = any(other.may_adopt for other in self.by_uid.values() if other.address == story.address)
        # by this object, or by one that handed the inbox over
        if inbox.by_hand and not adopted and not self.looks_like_ours(inbox):
            self.violations.append(f"{uid} deletes {inbox.inbox_id}, made by hand and never to be adopted")
        asked = (story.deleted and story.may_delete) or (story.recreates and story.changed)
        if not asked:
            self.violations.append(f"{uid} deletes {inbox.inbox_id}, and nobody asked for that")

    def _judge_share(self, uid: str, inbox: Inbox) -> None:
        """At most maxUnavailable inboxes of a batch are replaced at a time (rule 22)."""
        raw = self.cluster.find(uid)
        owner = _owner_of(raw)
        self.out = {other: out for other, out in self.out.items() if self._is_out(other, out)}
        if raw is None or owner is None or owner not in self.batches or "deletionTimestamp" in raw["metadata"]:
            return
        if inbox.in_use:
            return  # ColdSend refuses to delete it
        self.out[uid] = Out(owner, inbox, self.cluster.clock())
        together = [other for other, out in self.out.items() if out.batch == owner and self._is_out(other, out)]
        if len(together) > self.batches[owner].unavailable:
            self.violations.append(f"{together} of one batch are replaced at a time")

    def _is_out(self, uid: str, out: Out) -> bool:
        raw = self.cluster.find(uid)
        if raw is None or "deletionTimestamp" in raw["metadata"] or _owner_of(raw) != out.batch:
            return False
        live = self.remote.at(self.by_uid[uid].address)
        if out.inbox in live:  # without a pending deletion in ColdSend the inbox stays
            return not out.inbox.in_use and self.cluster.clock() - out.at < DELETION_SECONDS
        return not live

    def status_written(self, before: Raw, after: Raw) -> None:
        uid = after["metadata"]["uid"]
        was, is_now = ready_of(before), ready_of(after)
        story = self.by_uid[uid]
        inbox = self.remote.inboxes.get((before.get("status") or {}).get("inboxID", ""))
        excused = (
            "deletionTimestamp" in after["metadata"]
            or story.ready_may_go
            or inbox is None
            or inbox.gone_at is not None
            or inbox.overall_status != "ACTIVE"
            or (story.recreates and story.changed)
        )
        if was[0] == "True" and is_now[0] != "True" and not excused:
            self.violations.append(f"{uid} loses Ready for no reason: {is_now}")

    def excuse(self, inbox: Inbox) -> None:
        """ColdSend shows the inbox as not ACTIVE for a while: status may say so, also for some time after."""
        for story in self.by_uid.values():
            story.ready_may_go = story.ready_may_go or story.address == address_key(inbox.address)


def _native_address(spec: Raw) -> str:
    return f"{spec['native']['emailPrefix']}@{DOMAIN.domain_name}"


def _owner_of(raw: Raw | None) -> str | None:
    owners = raw["metadata"].get("ownerReferences") or () if raw is not None else ()
    return next((owner["uid"] for owner in owners), None)


def ready_of(raw: Raw) -> tuple[str, str, str]:
    return condition_of(raw, "Ready")


def condition_of(raw: Raw, kind: str) -> tuple[str, str, str]:
    """Status, reason and message; empty if the object does not show the condition."""
    for condition in (raw.get("status") or {}).get("conditions") or ():
        if condition["type"] == kind:
            return condition["status"], condition["reason"], condition["message"]
    return ("", "", "")
