"""Checks that the Secrets of objects exist and have values that can be sent. No value leaves this module."""

from collections.abc import Iterable, Mapping

from coldsend_operator.kube.errors import KubeError
from coldsend_operator.kube.secrets import SecretContent
from coldsend_operator.resources.values import api_key_fault, api_key_of, password_fault, password_of
from coldsend_operator.tools.doctor.checks import Check, bad, doubtful, good
from coldsend_operator.tools.output import few
from coldsend_operator.tools.secret_references import Reference

AREA = "secrets"


def judge(
    wanted: Iterable[Reference], contents: Mapping[tuple[str, str], SecretContent | KubeError | None]
) -> list[Check]:
    """One check for each bad key, and one for all good ones."""
    checks: list[Check] = []
    ordered = sorted(wanted, key=lambda each: (each.namespace, each.name, each.key, each.is_api_key))
    unread: dict[str, None] = {}
    well = 0
    for each in ordered:
        place = f"Secret {each.namespace}/{each.name}"
        content = contents[each.namespace, each.name]
        if isinstance(content, KubeError):
            unread[place] = None
            continue
        check = (
            bad(AREA, f"{place} does not exist; create it") if content is None else _of_content(each, place, content)
        )
        if check is None:
            well += 1
        elif check not in checks:
            checks.append(check)
    if unread:
        checks.append(doubtful(AREA, f"these cannot be read and were not checked: {few(list(unread), 2)}"))
    if well:
        of = f"{well:,} of {len(ordered):,} keys of Secrets that objects name"
        checks.append(good(AREA, f"{of} exist and have values that can be sent"))
    return checks


def _of_content(wanted: Reference, place: str, content: SecretContent) -> Check | None:
    """What is wrong with the key, by the values that rule 36 allows; None if nothing is."""
    where = f"key {wanted.key} of {place}"
    if wanted.key in content.undecodable:
        return bad(AREA, f"{where} {content.undecodable[wanted.key]}")
    held = content.values.get(wanted.key)
    value = None if held is None else held.get_secret_value()
    if value is None:
        known = ", ".join(sorted({*content.values, *content.undecodable})[:5])
        return bad(AREA, f"{place} has no key {wanted.key}{f'; it has {known}' if known else ''}")
    sent = api_key_of(value) if wanted.is_api_key else password_of(value, google=wanted.google)
    fault = api_key_fault(sent) if wanted.is_api_key else password_fault(sent)
    if not sent:
        return bad(AREA, f"{where} is empty")
    if fault:
        return bad(AREA, f"{where} {fault}")
    if value.endswith(("\n", "\r")):
        return doubtful(AREA, f"{where} ends with a line break; the operator drops it, other programs may send it")
    if sent == value and sent != sent.strip():
        return doubtful(AREA, f"{where} has a space at its start or end, which is sent as part of the value")
    return None
