"""Differences between ColdSend and an account: in spec, in the Secret, and what only ColdSend changed."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import Row
from coldsend_operator.core.model.hashes import comparable, hidden_part, visible_part


def needs_recreation(account: Account, row: Row) -> bool:
    """Whether spec or a Secret differs from what was last sent. Changes made in ColdSend never count."""
    return spec_changed(account, row) or secret_changed(account)


def spec_changed(account: Account, row: Row) -> bool:
    applied = account.stored.applied
    spec = account.desired.spec
    if applied is None or applied.spec_hash is None:
        return False
    if hidden_part(applied.spec_hash) != hidden_part(spec.hash):
        return True
    return visible_part(applied.spec_hash) != visible_part(spec.hash) and bool(drift(account, row))


def drift(account: Account, row: Row) -> str:
    """What ColdSend shows otherwise than the spec asks; empty for nothing."""
    spec = account.desired.spec
    fields = (
        ("displayName", row.display_name, spec.display_name),
        ("dailyLimit", row.daily_limit, spec.daily_limit),
    )
    return "; ".join(
        f"{field} is {shown!r}, the spec says {asked!r}"
        for field, shown, asked in fields
        if shown is not None and asked is not None and shown != asked
    )


def secret_changed(account: Account) -> bool:
    sent = account.stored.sent_credentials
    present = account.credentials.digest if account.credentials else None
    return sent is not None and present is not None and sent != present and comparable(sent, present)
