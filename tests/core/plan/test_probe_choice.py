"""Which probe serves whom, by counts alone."""

from dataclasses import replace

import pytest

from coldsend_operator.core.plan.probe_choice import (
    FEW_PAGES,
    FEW_PROBES,
    MAX_UNCONFIRMED_SECONDS,
    MAX_UNPROVEN_LISTS,
    UNCONFIRMED,
    Probe,
    Waiting,
    Why,
    probe_for,
)

FEW = Waiting(searches=1, gets=1, listed=True)
MANY = Waiting(searches=FEW_PROBES, gets=FEW_PROBES, listed=True)
FLOOD = Waiting(gets=FEW_PROBES, listed=True, deleting=True)


@pytest.mark.parametrize("why", Why)
def test_a_few_are_looked_up_one_by_one(why: Why) -> None:
    assert probe_for(why, FEW) is Probe.EACH


@pytest.mark.parametrize("why", [Why.ADDRESS, Why.INBOX, Why.JUST_MADE])
def test_many_are_served_by_a_list_that_takes_no_more_pages_than_they_are(why: Why) -> None:
    assert probe_for(why, MANY) is Probe.LIST
    assert probe_for(why, replace(MANY, pages=2 * FEW_PROBES)) is Probe.LIST
    assert probe_for(why, replace(MANY, pages=2 * FEW_PROBES + 1)) is Probe.EACH


def test_rule_16_what_a_list_did_not_show_needs_a_get_of_its_own_and_asks_for_no_list() -> None:
    assert probe_for(Why.MISSING, MANY) is Probe.EACH
    gone = Waiting(gets=100, missing=100, listed=True)
    assert probe_for(Why.MISSING, gone) is Probe.EACH
    assert probe_for(Why.ADDRESS, replace(gone, searches=FEW_PROBES - 1)) is Probe.EACH


def test_before_the_first_list_a_lone_account_waits_for_none() -> None:
    assert probe_for(Why.ADDRESS, Waiting(searches=1, pages=100)) is Probe.EACH
    assert probe_for(Why.ADDRESS, Waiting(searches=2, pages=100)) is Probe.LIST


def test_inboxes_just_made_are_seen_on_the_page_of_the_newest_rows_and_ask_for_no_list() -> None:
    made = Waiting(gets=100, just_made=100, listed=True)
    assert probe_for(Why.JUST_MADE, made) is Probe.NEWEST
    assert probe_for(Why.INBOX, made) is Probe.EACH
    assert probe_for(Why.JUST_MADE, replace(made, gets=100 + FEW_PROBES)) is Probe.LIST
    assert probe_for(Why.JUST_MADE, replace(made, just_made=FEW_PROBES - 1, gets=2)) is Probe.EACH


@pytest.mark.parametrize(("why", "probe"), [(Why.INBOX, Probe.LATER), (Why.MISSING, Probe.LATER)])
def test_while_deletions_go_on_several_gets_wait_for_their_end(why: Why, probe: Probe) -> None:
    assert probe_for(why, FLOOD) is probe
    assert probe_for(why, replace(FLOOD, gets=FEW_PROBES - 1)) is Probe.EACH


def test_while_deletions_go_on_addresses_are_searched_all_the_same() -> None:
    assert probe_for(Why.ADDRESS, replace(FLOOD, searches=1)) is Probe.EACH


def test_while_deletions_go_on_a_list_must_be_worth_its_pages() -> None:
    assert probe_for(Why.INBOX, replace(FLOOD, gets=4)) is Probe.LATER
    assert probe_for(Why.INBOX, replace(FLOOD, gets=5)) is Probe.LIST
    long = replace(FLOOD, pages=FEW_PAGES + 1, gets=100 * UNCONFIRMED)
    assert probe_for(Why.INBOX, long) is Probe.LATER
    assert probe_for(Why.ADDRESS, replace(long, gets=0, searches=100 * UNCONFIRMED)) is Probe.LIST
    assert probe_for(Why.INBOX, replace(long, longest_get=MAX_UNCONFIRMED_SECONDS)) is Probe.LIST


@pytest.mark.parametrize(("why", "probe"), [(Why.INBOX, Probe.LIST_AND_ONE), (Why.JUST_MADE, Probe.LIST)])
def test_beside_lists_that_prove_nothing_a_few_are_looked_up_one_by_one(why: Why, probe: Probe) -> None:
    assert probe_for(why, replace(MANY, unproven_lists=MAX_UNPROVEN_LISTS)) is probe
