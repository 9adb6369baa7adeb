"""From the JSON of a SenderAccount to the records of the core."""

from collections.abc import Mapping
from typing import Any

from coldsend_operator.accounts.effective import api_key, effective_servers
from coldsend_operator.core.model import transitions
from coldsend_operator.core.model.account import Account
from coldsend_operator.core.model.answers import address_key
from coldsend_operator.core.model.desired import Desired, Native, Server, Spec
from coldsend_operator.core.model.hashes import spec_hash
from coldsend_operator.core.model.stored_status import account_status
from coldsend_operator.core.model.times import unix_of
from coldsend_operator.core.status.stored import stored_of
from coldsend_operator.kube.finalizers import own_finalizers
from coldsend_operator.kube.objects import version_number
from coldsend_operator.resources.account import SenderAccountSpec
from coldsend_operator.resources.annotations import read_annotations
from coldsend_operator.resources.common import AdoptionPolicy, DeletionPolicy, InboxType, UpdatePolicy
from coldsend_operator.resources.names import BATCH_KIND
from coldsend_operator.resources.reading import policies, read_account

Raw = Mapping[str, Any]
MAX_UID_LENGTH = 64  # the API server gives 36 characters; who writes an ownerReference may write any text (rule 43)
START_OF_TIME = 1.0  # for an unreadable time: an object in deletion stays in deletion


def read_object(raw: Raw) -> Account:
    """A SenderAccount as on the API server, with the state in its status."""
    desired = read_desired(raw)
    status = account_status(raw.get("status"))
    stored = stored_of(status)
    account = Account(desired=desired, stored=stored, confirmed=stored)
    transitions.status_kept(account, status)
    return account


def read_desired(raw: Raw) -> Desired:
    metadata = raw["metadata"]
    annotations = read_annotations(metadata.get("annotations"))
    reading = read_account(raw.get("spec"))
    deleting = metadata.get("deletionTimestamp")
    return Desired(
        uid=metadata["uid"],
        namespace=metadata["namespace"],
        name=metadata["name"],
        generation=metadata.get("generation", 1),
        resource_version=version_number(metadata.get("resourceVersion")),
        created=metadata.get("creationTimestamp") or "",
        deleting=(unix_of(deleting) or START_OF_TIME) if deleting else None,
        finalizers=own_finalizers(metadata),
        spec=_broken_spec(raw.get("spec")) if reading.spec is None else _spec(reading.spec),
        problems=reading.problems,
        paused=annotations.paused,
        reconcile=annotations.reconcile,
        credentials_current=annotations.credentials_current,
        approve_deletion=annotations.approve_deletion,
        approve_recreation=annotations.approve_recreation,
        force_orphan=annotations.force_orphan,
        hand_over_to=annotations.hand_over_to,
        notes=annotations.notes,
        batch=_owner(metadata),
    )


def _owner(metadata: Raw) -> str | None:
    owners = metadata.get("ownerReferences") or ()
    uid = next((owner["uid"] for owner in owners if owner.get("kind") == BATCH_KIND), None)
    return uid if uid is not None and len(uid) <= MAX_UID_LENGTH else None


def _spec(spec: SenderAccountSpec) -> Spec:
    smtp, imap = effective_servers(spec)
    native = None
    if spec.inbox_type is InboxType.COLDSEND and spec.native is not None:
        native = Native(spec.native.domain_id, spec.native.domain_name, spec.native.email_prefix)
    adopt = None if spec.adoption_policy is None else spec.adoption_policy is AdoptionPolicy.ADOPT
    return Spec(
        inbox_type=str(spec.inbox_type),
        address=address_key(spec.email_address) if spec.email_address else None,
        email_address=spec.email_address,
        display_name=spec.display_name,
        daily_limit=spec.daily_limit,
        smtp=smtp,
        imap=imap,
        native=native,
        key=api_key(spec.api_key_secret_ref),
        adopt=adopt,
        orphan=orphan_of(spec.deletion_policy),
        recreate=spec.update_policy is UpdatePolicy.RECREATE,
        protected=spec.deletion_protection is True,
        observe=spec.observed_only,
        mail_request=spec.test_email.request_id if spec.test_email else None,
        mail_recipient=spec.test_email.recipient if spec.test_email else None,
        hash=spec_hash(
            {"displayName": spec.display_name, "dailyLimit": spec.daily_limit},
            {"smtp": _hidden(smtp), "imap": _hidden(imap)},
        ),
    )


def orphan_of(policy: DeletionPolicy | None) -> bool | None:
    """Whether a spec sets Orphan; None if it sets no policy."""
    return None if policy is None else policy is DeletionPolicy.ORPHAN


def _hidden(server: Server | None) -> list[Any] | None:
    """The settings of a server that are sent to ColdSend and never returned, without the source of the password."""
    return None if server is None else [server.host, server.port, server.username, server.encrypted]


def _broken_spec(raw: object) -> Spec:
    """A spec that cannot be used; only what is needed to release the object is read."""
    known = policies(raw)
    return Spec(
        inbox_type="",
        address=None,
        email_address=None,
        display_name=None,
        daily_limit=None,
        smtp=None,
        imap=None,
        native=None,
        key=api_key(known.api_key_secret),
        adopt=False,
        orphan=orphan_of(known.deletion),
        recreate=False,
        protected=known.protected,
        observe=known.management.value == "Observe",
        mail_request=None,
        mail_recipient=None,
        hash="",
    )
