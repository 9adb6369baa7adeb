"""Creates inboxes, or refuses to."""

import uuid
from dataclasses import dataclass
from functools import partial

from coldsend_emulator.inboxes import Inbox, Mailbox
from coldsend_emulator.keys import digest
from coldsend_emulator.payloads import NativeInbox, SmtpAccount
from coldsend_emulator.refusals import Refusal
from coldsend_emulator.switches import Switches
from coldsend_emulator.workspaces import Domain, Workspace
from coldsend_emulator.world import World, whole


class Exists(Refusal):
    """The address belongs to `inbox`."""

    def __init__(self, inbox: Inbox, refusal: Refusal) -> None:
        super().__init__(refusal.status, refusal.detail, refusal.extra)
        self.inbox = inbox


@dataclass(frozen=True)
class Creator:
    """Creates inboxes in one workspace, for one operation."""

    world: World
    workspace: Workspace
    by: str

    @property
    def switches(self) -> Switches:
        return self.world.switches_of(self.workspace.name)

    def smtp(self, account: SmtpAccount, moment: float, *, double: bool = False) -> Inbox:
        """Raises Refusal: exists, plan limit, connection failed. `double` allows an address twice."""
        address = kept_address(account.email_address, self.switches)
        if not double:
            self.check_address(address, moment)
        self.check_plan_limit()
        failure = self._connection_failure(account)
        if failure and self.switches.choice("connection_failure") == "refused":
            raise failure
        inbox = self._inbox(address, account.display_name, account.inbox_type, moment)
        inbox.daily_limit = account.daily_limit
        set_mailboxes(inbox, account)
        if failure:
            inbox.status_reason = failure.sentence()
        self._insert(inbox, "DISABLED" if failure else "ACTIVE", moment, starts_pending=True)
        return inbox

    def native(self, domain: Domain, item: NativeInbox, moment: float) -> Inbox:
        """Raises Refusal: exists, plan limit, domain not active or full."""
        address = native_address(domain, item, self.switches)
        self.check_domain(domain)
        self.check_address(address, moment)
        self.check_plan_limit()
        inbox = self._inbox(address, item.display_name, "COLDSEND", moment)
        inbox.domain_id = domain.domain_id
        inbox.daily_limit = item.daily_limit or whole(self.switches.amount("native_daily_limit"))
        starts_pending = self.switches.choice("native_first_status") == "PENDING"
        self._insert(inbox, "ACTIVE", moment, starts_pending=starts_pending)
        return inbox

    def check_address(self, address: str, moment: float) -> None:
        existing = self.existing(address)
        if existing:
            raise Exists(existing, _conflict(existing, self.switches))
        freed_on = self.workspace.freed_on.get(address.lower())
        blocked = self.switches.amount("recreate_refused_seconds")
        if freed_on is not None and moment < freed_on + blocked:
            raise Refusal(409, f"Email address {address} is still being removed")

    def existing(self, address: str) -> Inbox | None:
        match self.switches.choice("address_scope"):
            case "workspace":
                return next(iter(self.workspace.inboxes.with_address(address)), None)
            case "platform":
                return next(self.world.inboxes_with(address), None)
            case _:
                return None

    def check_plan_limit(self, more: int = 1) -> None:
        limit = self.switches.amount("plan_limit")
        if len(self.workspace.inboxes) + more > limit:
            code = int(self.switches.choice("plan_limit_code"))
            raise Refusal(code, f"Your plan allows {limit:g} sender accounts")

    def check_domain(self, domain: Domain, more: int = 1) -> None:
        if domain.status != "ACTIVE":
            code = self.switches.choice("domain_not_active")
            if code != "accepted":
                raise Refusal(int(code), f"Domain {domain.domain_name} is not active")
        if self.workspace.inboxes.count_on_domain(domain.domain_id) + more > domain.max_inboxes:
            code = self.switches.choice("domain_full")
            raise Refusal(int(code), f"Domain {domain.domain_name} has reached its inbox capacity")

    def _connection_failure(self, account: SmtpAccount) -> Refusal | None:
        bad = self.world.bad
        digests = {digest(account.smtp_password), digest(account.imap_password)}
        if (
            {account.smtp_host, account.imap_host} & bad.hosts
            or account.email_address.lower() in bad.addresses
            or digests & bad.password_digests
        ):
            code = int(self.switches.choice("connection_failed_code"))
            return Refusal(code, "Connection failed: the server refused the login")
        return None

    def _inbox(self, address: str, display_name: str, inbox_type: str, moment: float) -> Inbox:
        return Inbox(
            inbox_id=str(uuid.uuid4()),
            workspace=self.workspace.name,
            email_address=address,
            display_name=kept_name(display_name, self.switches),
            inbox_type=inbox_type,
            overall_status="ACTIVE",
            daily_limit=None,
            created_at=self.world.clock.wall_at(moment),
            created_on=moment,
        )

    def _insert(self, inbox: Inbox, status: str, moment: float, *, starts_pending: bool) -> None:
        pending = self.switches.amount("pending_seconds") if starts_pending else 0
        inbox.overall_status = "PENDING" if pending else status
        self.world.insert(inbox, self.by, moment)
        if pending:
            self.world.schedule.at(moment + pending, partial(self._validated, inbox, status))

    def _validated(self, inbox: Inbox, status: str, _moment: float) -> None:
        if inbox.overall_status == "PENDING" and self.workspace.inboxes.get(inbox.inbox_id) is inbox:
            self.workspace.inboxes.change(inbox, {"overall_status": status})


def set_mailboxes(inbox: Inbox, account: SmtpAccount) -> None:
    inbox.smtp = Mailbox(
        account.smtp_host,
        account.smtp_port,
        account.smtp_username,
        digest(account.smtp_password),
        account.smtp_use_tls,
    )
    inbox.imap = Mailbox(
        account.imap_host,
        account.imap_port,
        account.imap_username,
        digest(account.imap_password),
        account.imap_use_ssl,
    )


def native_address(domain: Domain, item: NativeInbox, switches: Switches) -> str:
    return kept_address(f"{item.email_prefix}@{domain.domain_name}", switches)


def kept_address(address: str, switches: Switches) -> str:
    form = switches.choice("address_case")
    if form == "lower":
        return address.lower()
    if form == "lower_domain":
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    return address


def kept_name(name: str, switches: Switches) -> str:
    form = switches.choice("display_name_form")
    if form == "trimmed":
        return " ".join(name.split())
    return name[:64] if form == "cut_64" else name


def _conflict(existing: Inbox, switches: Switches) -> Refusal:
    sentence = f"Email account {existing.email_address} already exists"
    match switches.choice("conflict_body"):
        case "field":
            return Refusal(409, sentence, {"inbox_id": existing.inbox_id})
        case "sentence":
            return Refusal(409, f"{sentence} (inbox {existing.inbox_id})")
        case "object":
            return Refusal(409, {"message": sentence, "inbox_id": existing.inbox_id})
        case _:
            return Refusal(409, sentence)
