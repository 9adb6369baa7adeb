"""What a refused creation says to people: what was tried, with which values, when it is tried again, what to do."""

from coldsend_operator.core.model.account import Account, Backoff
from coldsend_operator.core.model.desired import Server
from coldsend_operator.core.model.reasons import Reason
from coldsend_operator.core.model.times import rfc3339

TRIED = " Tried: "
NEXT = " Next try at "


def refusal_message(account: Account, backoff: Backoff, until: float) -> str:
    """The words of ColdSend with what a person needs beside them; the value of no Secret."""
    said = backoff.message.partition(TRIED)[0].partition(NEXT)[0]  # a message that status kept has its end already
    if backoff.reason is Reason.CONNECTION_FAILED:
        return (
            f"{said.rstrip('. ')}.{TRIED}{'; '.join(_tried(account, said))}.{NEXT}{rfc3339(until)}, or at once when "
            "the Secret or spec changes. Most providers ask for an app password and for IMAP to be switched on."
        )
    if backoff.reason is Reason.REJECTED:
        return f"{said.rstrip('. ')}.{NEXT}{rfc3339(until)}, or at once when spec or Secret changes."
    return backoff.message


def _tried(account: Account, said: str) -> list[str]:
    """Both servers, or the one that the words of ColdSend name."""
    spec, lowered = account.desired.spec, said.lower()
    forms = account.credentials.forms if account.credentials is not None else ()
    sides = [("SMTP", spec.smtp, "imap"), ("IMAP", spec.imap, "smtp")]
    found = []
    for at, (protocol, server, other) in enumerate(sides):
        if server is not None and (other not in lowered or protocol.lower() in lowered):
            found.append(_login(protocol, server, forms[at] if at < len(forms) else ""))
    return found


def _login(protocol: str, server: Server, form: str) -> str:
    value = f" (its value has {form})" if form else ""
    return (
        f"{protocol} {server.host}:{server.port} as {server.username} with key {server.password.key} of Secret "
        f"{server.password.name}{value}"
    )
