"""The policy for decisions, from settings and from annotations of namespaces."""

from collections.abc import Mapping
from typing import Any

from coldsend_operator.accounts.effective import api_key_default
from coldsend_operator.core.model.policy import Limits, NamespaceSettings, Policy, Threshold
from coldsend_operator.resources.annotations import namespace_notes, read_annotations
from coldsend_operator.resources.common import DeletionPolicy
from coldsend_operator.settings import Settings

MIN_CHECK_SECONDS, MAX_CHECK_SECONDS = 10.0, 120.0  # bounds of the timeout of a single create


def policy_of(settings: Settings) -> Policy:
    """The settings that decisions depend on."""
    return Policy(
        limits=Limits(settings.requests_per_minute, settings.requests_per_hour, settings.reserve),
        brake=Threshold(settings.delete_brake.number, settings.delete_brake.percent),
        sweep_seconds=settings.sweep_seconds,
        poll_seconds=settings.poll_seconds,
        lost_seconds=settings.lost_call_seconds,
        check_timeout=min(MAX_CHECK_SECONDS, max(MIN_CHECK_SECONDS, settings.lost_call_seconds)),
        counter_seconds=settings.counter_seconds,
        health_low=settings.health_low,
        health_good=settings.health_good,
        adopt_by_default=settings.adoption_default == "Adopt",
        orphan_by_default=settings.deletion_default == "Orphan",
        freeze=settings.freeze,
        operator_key_namespaces=frozenset(settings.operator_key_namespaces),
        adopt_namespaces=frozenset(settings.adopt_namespaces),
    )


def namespace_settings(raw: Mapping[str, Any] | None) -> NamespaceSettings:
    """The settings in a Namespace, as on the API server; None if it does not exist."""
    found = raw or {}
    metadata = found.get("metadata") or {}
    annotations = read_annotations(metadata.get("annotations"))
    key = None if annotations.api_key_secret is None else api_key_default(annotations.api_key_secret)
    return NamespaceSettings(
        approve_deletion=annotations.approve_deletion,
        approve_recreation=annotations.approve_recreation,
        terminating=(found.get("status") or {}).get("phase") == "Terminating",
        paused=annotations.paused is True,
        # an unknown word means the value that touches ColdSend least
        orphan=None if annotations.deletion_policy is None else annotations.deletion_policy != DeletionPolicy.DELETE,
        key=key,
        notes=namespace_notes(metadata.get("annotations"), metadata.get("name", "")),
    )
