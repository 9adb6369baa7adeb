"""The reading of rights, without a cluster."""

from tests.chart.rights import Request, Right, unneeded

EVERYWHERE = Right("get", "", "secrets", "", frozenset())
BY_NAME = Right("get", "", "secrets", "home", frozenset({"hmac"}))


def test_a_right_allows_its_verb_in_its_namespace_and_by_its_names() -> None:
    assert EVERYWHERE.allows(Request("get", "", "secrets", "sales", "smtp"))
    assert not EVERYWHERE.allows(Request("list", "", "secrets", "sales", ""))
    assert BY_NAME.allows(Request("get", "", "secrets", "home", "hmac"))
    assert not BY_NAME.allows(Request("get", "", "secrets", "home", "smtp"))
    assert not BY_NAME.allows(Request("get", "", "secrets", "sales", "hmac"))


def test_a_right_that_another_one_covers_is_not_needed() -> None:
    requests = [Request("get", "", "secrets", "home", "hmac"), Request("get", "", "secrets", "sales", "smtp")]
    assert unneeded([EVERYWHERE, BY_NAME], requests) == [BY_NAME]
    assert unneeded([BY_NAME], requests) == []
