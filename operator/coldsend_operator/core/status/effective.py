"""`status.effective`: the values in effect for an object, with the defaults of its namespace and of the operator."""

from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.desired import SecretRef
from coldsend_operator.core.model.policy import Policy
from coldsend_operator.core.model.stored_status import Status

USUAL_KEY = "apiKey"  # of a Secret with an API key: left out


def effective_of(account: Account, policy: Policy) -> Status:
    spec = account.desired.spec
    key = account.desired.key_ref.secret
    return effective(policy, orphan=policy.orphans(account.desired), recreate=spec.recreate, adopt=spec.adopt, key=key)


def effective(policy: Policy, *, orphan: bool, recreate: bool, adopt: bool | None, key: SecretRef | None) -> Status:
    """`adopt` is None if not set, `key` is None for the operator's own."""
    adopts = policy.adopt_by_default if adopt is None else adopt
    found = {
        "deletionPolicy": "Orphan" if orphan else "Delete",
        "updatePolicy": "Recreate" if recreate else "Never",
        "adoptionPolicy": "Adopt" if adopts else "Refuse",
    }
    if key is not None:
        found["apiKeySecret"] = key.name if key.key == USUAL_KEY else f"{key.name}/{key.key}"
    return found
