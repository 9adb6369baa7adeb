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
    return visible_part(applied.spec_hash) != visible_part(spec.hash) and not shows_spec(account, row)


def shows_spec(account: Account, row: Row) -> bool:
    """Whether ColdSend shows the name and the limit of the spec."""
    spec = account.desired.spec
    named = spec.display_name is None or row.display_name is None or spec.display_name == row.display_name
    limited = spec.daily_limit is None or row.daily_limit is None or spec.daily_limit == row.daily_limit
    return named and limited


def secret_changed(account: Account) -> bool:
    applied = account.stored.applied
    sent = applied.credentials_hash if applied else None
    present = account.credentials.digest if account.credentials else None
    return sent is not None and present is not None and sent != present and comparable(sent, present)
