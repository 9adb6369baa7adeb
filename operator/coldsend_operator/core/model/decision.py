"""The next action of one account."""

from dataclasses import dataclass
from enum import StrEnum

from coldsend_operator.core.model.reasons import Reason


class Action(StrEnum):
    """Kinds of actions: calls to ColdSend, then writes to Kubernetes, then changes of the workspace only."""

    CREATE = "create"
    DELETE = "delete"
    SEARCH = "search"
    GET = "get"
    MAIL = "mail"
    DOMAINS = "domains"

    ADD_FINALIZER = "add-finalizer"
    REMOVE_FINALIZER = "remove-finalizer"
    FORGET = "forget"  # the inbox is gone: remove the create mark, then clear inboxID

    ACQUIRE = "acquire"
    TAKE_OVER = "take-over"  # from an object in deletion, with all that is known of the inbox
    REBIND = "rebind"
    BEGIN_MAIL = "begin-mail"
    GIVE_UP_MAIL = "give-up-mail"
    REFUSE_MAIL = "refuse-mail"

    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    """The next action of an account.

    `reason` and `message` say why ColdSend does not match the spec; None if it does. `due` is when to decide again
    without an event. A `quiet` action passes by itself and is written to status only if it lasts.
    """

    action: Action = Action.WAIT
    reason: Reason | None = None
    message: str = ""
    due: float | None = None
    quiet: bool = False
    inbox_id: str | None = None
    origin: str | None = None


IN_SYNC = Decision()  # thousands share it
