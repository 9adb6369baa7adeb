"""Groups mailboxes into batches and separate accounts, and names the objects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coldsend_operator.resources.children import digest
from coldsend_operator.resources.common import InboxType
from coldsend_operator.tools.manifests import sized
from coldsend_operator.tools.names import WORDS, fitting, label, numbered
from coldsend_operator.tools.spreadsheet.mailboxes import USUAL, Mailbox, SheetServer

_DIGEST = 6


@dataclass(frozen=True, slots=True)
class Shared:
    """What the inboxes of one batch share. `domain` is empty unless shared."""

    inbox_type: InboxType
    smtp: SheetServer = USUAL
    imap: SheetServer = USUAL
    domain: str = ""

    @property
    def usual(self) -> bool:
        """Whether the type alone determines the servers."""
        return self.smtp == self.imap == USUAL


@dataclass(frozen=True, slots=True)
class BatchGroup:
    """One future batch."""

    name: str
    shared: Shared
    mailboxes: tuple[Mailbox, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The batches by name, and the mailboxes that become separate accounts."""

    batches: tuple[BatchGroup, ...]
    accounts: tuple[Mailbox, ...]


def group(
    mailboxes: Iterable[Mailbox], name: str, *, by_domain: bool, known: Mapping[Shared, str] | None = None
) -> Grouping:
    """Put mailboxes of equal type and servers into batches called after `name`; `known` are batches that have names.

    A mailbox with a user name or an IMAP password of its own, or with servers that no other has, becomes an account:
    a batch says these once for all its inboxes.
    """
    together: dict[Shared, list[Mailbox]] = defaultdict(list)
    alone: list[Mailbox] = []
    for mailbox in mailboxes:
        if mailbox.smtp.username or mailbox.imap.username or mailbox.imap_password:
            alone.append(mailbox)
        else:
            together[_shared(mailbox, by_domain=by_domain)].append(mailbox)
    known = known or {}
    for shared in [each for each, found in together.items() if len(found) == 1 and not each.usual]:
        if shared not in known:
            alone += together.pop(shared)
    named = _names(sorted(together, key=_order), name, known, by_domain=by_domain)
    batches = [batch for shared, called in named.items() for batch in _sized(called, shared, together[shared])]
    return Grouping(
        tuple(sorted(batches, key=lambda batch: batch.name)), tuple(sorted(alone, key=lambda mailbox: mailbox.key))
    )


def _shared(mailbox: Mailbox, *, by_domain: bool) -> Shared:
    domain = mailbox.domain if by_domain or mailbox.native else ""
    return Shared(mailbox.inbox_type, mailbox.smtp, mailbox.imap, domain)


def _order(shared: Shared) -> tuple[str, ...]:
    servers = (str(value or "") for side in (shared.smtp, shared.imap) for value in (side.host, side.port))
    return (shared.inbox_type.value, shared.domain, *servers, str(shared.smtp.encrypted), str(shared.imap.encrypted))


def _names(groups: Sequence[Shared], name: str, known: Mapping[Shared, str], *, by_domain: bool) -> dict[Shared, str]:
    """`name` for a single group; otherwise with what distinguishes it: type, domain, server."""
    types = {shared.inbox_type for shared in groups} | {shared.inbox_type for shared in known}
    named = {shared: known[shared] for shared in groups if shared in known}
    taken = set(known.values())
    for shared in groups:
        if shared in named:
            continue
        like = [each for each in groups if (each.inbox_type, each.domain) == (shared.inbox_type, shared.domain)]
        domains = {each.domain for each in groups if each.inbox_type is shared.inbox_type}
        parts = [
            name,
            WORDS[shared.inbox_type] if len(types) > 1 else "",
            label(shared.domain) if by_domain or len(domains) > 1 else "",
            label(shared.smtp.host or shared.imap.host or "") if len(like) > 1 else "",
        ]
        called = fitting("-".join(filter(None, parts)))
        if called in taken:
            called = fitting(f"{called}-{digest('|'.join(_order(shared)), _DIGEST)}")
        named[shared] = called
        taken.add(called)
    return named


def _sized(name: str, shared: Shared, mailboxes: Sequence[Mailbox]) -> Iterator[BatchGroup]:
    """One batch, or several if one would be too large for the API server."""
    for number, part in enumerate(sized(mailboxes, _width), 1):
        yield BatchGroup(numbered(name, number), shared, tuple(part))


def _width(mailbox: Mailbox) -> int:
    """Bytes of the inbox in its batch or in its Secret, whichever is more."""
    password = len(mailbox.password.get_secret_value()) if mailbox.password else 0
    return 100 + 2 * len(mailbox.address) + max(len(mailbox.name.encode()), 2 * password)
