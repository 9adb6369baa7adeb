"""One value of a Secret, or the reason and the message why it cannot be used."""

from collections.abc import Callable

from pydantic import SecretStr

from coldsend_operator.core.model.desired import SecretRef
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.kube.errors import Forbidden, KubeError
from coldsend_operator.kube.secrets import SecretContent

Problem = tuple[Reason, str]


def value_of(
    content: SecretContent | KubeError | None,
    ref: SecretRef,
    field: str,
    *,
    sent: Callable[[str], str],
    fault: Callable[[str], str],
) -> SecretStr | Problem:
    """The value that `field` of a spec refers to, in the form that is sent.

    `content` is what the API server answered. `fault` says what is wrong with a value, as the end of a sentence.
    """
    name = f"Secret {ref.name} ({field})"
    if isinstance(content, Forbidden):
        return (Reason.SECRET_NOT_FOUND, f"The operator may not read {name}; grant it `get` on Secrets here.")
    if isinstance(content, KubeError):
        message = f"{name} cannot be read: Kubernetes {content.answer}; it is retried automatically."
        return (Reason.SECRET_NOT_FOUND, message)
    if content is None:
        message = f"{name} is not in this namespace; create it, and it is picked up automatically."
        return (Reason.SECRET_NOT_FOUND, message)
    found = content.values.get(ref.key)
    value = "" if found is None else sent(found.get_secret_value())
    wrong = content.undecodable.get(ref.key, "") if found is None else fault(value)
    if wrong:
        return (Reason.SECRET_INVALID, f"Key {ref.key} of {name} {wrong}. A new value is picked up automatically.")
    if not value:
        state = "is missing" if found is None else "is empty"
        message = f"Key {ref.key} of {name} {state}; set it, and it is picked up automatically."
        return (Reason.SECRET_KEY_NOT_FOUND, message)
    return SecretStr(value)
