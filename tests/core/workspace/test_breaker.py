"""The circuit breaker of one key by itself."""

from coldsend_operator.core.model.answers import Failure, FailureKind
from coldsend_operator.core.model.calls import Operation
from coldsend_operator.core.workspace.breaker import HASTEN_PAUSE, Breaker
from tests.support.clock import START

REFUSED = Failure(FailureKind.UNAUTHORIZED, "no", 401)
LIST, NOBODY = Operation.LIST_ACCOUNTS, frozenset[str]()


def test_a_person_who_asks_while_the_key_is_being_tried_may_ask_again_at_once() -> None:
    breaker = Breaker()
    breaker.fail(LIST, REFUSED, START)
    at = breaker.free_at(LIST, NOBODY)
    breaker.start(LIST, NOBODY)
    breaker.hasten(at)
    breaker.fail(LIST, REFUSED, at)
    assert breaker.free_at(LIST, NOBODY) > at + 1.0
    breaker.hasten(at + 1.0)
    assert breaker.free_at(LIST, NOBODY) == at + 1.0


def test_who_asks_all_the_time_has_the_key_tried_every_few_seconds() -> None:
    breaker = Breaker()
    breaker.fail(LIST, REFUSED, START)
    breaker.hasten(START + 1.0)
    breaker.start(LIST, NOBODY)
    breaker.fail(LIST, REFUSED, START + 1.0)
    breaker.hasten(START + 2.0)
    assert breaker.free_at(LIST, NOBODY) > START + HASTEN_PAUSE
    breaker.hasten(START + 1.0 + HASTEN_PAUSE)
    assert breaker.free_at(LIST, NOBODY) == START + 1.0 + HASTEN_PAUSE
