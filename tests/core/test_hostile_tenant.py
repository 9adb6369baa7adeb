"""One namespace does its worst, in any order; everybody else's objects become Ready, stay so and are deleted.

`HYPOTHESIS_PROFILE=deep EXAMPLES=20000` searches again and prints what reproduces a finding.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.core.conftest import profile, rules_about
from tests.support.hostile import OWN, OWN_KEY, STATUSES, TENANT, HostileWorld
from tests.support.poison import POISON, SOUR, STICKY
from tests.support.remote import Fault
from tests.support.simulation import SECOND

pytestmark = pytest.mark.timeout(1800)  # to make a failing example small takes minutes

ADDRESSES = ("t1@tenant.com", "t2@tenant.com", "stranger@company.com", f"{STICKY}@tenant.com", f"{SOUR}@tenant.com")

with_a_victim = rules_about(lambda self: self.world.victims)
with_a_tenant = rules_about(lambda self: self.world.tenants)


class HostileTenant(RuleBasedStateMachine):
    """A tenant in one namespace, victims in the other, a world that fails."""

    world: HostileWorld

    @initialize(
        windows=st.sampled_from([(60, 600), (12, 150)]),
        page_size=st.sampled_from([2, 100]),
        item_seconds=st.sampled_from([0.0, 1.0]),
        skew=st.sampled_from([2.5, -30.0, 30.0]),
    )
    def begin(self, windows: tuple[int, int], page_size: int, item_seconds: float, skew: float) -> None:
        self.world = HostileWorld(
            per_minute=windows[0],
            per_hour=windows[1],
            page_size=page_size,
            item_seconds=item_seconds,
            remote_offset=skew,
        )
        self.world.start()

    # -- victims

    @rule(count=st.sampled_from([1, 1, 3]))
    def a_victim_applies(self, count: int) -> None:
        for _ in range(count):
            self.world.victim()

    @with_a_victim()
    def a_victim_deletes(self, which: int) -> None:
        self.world.delete(self._of(self.world.victims, which))

    # -- the tenant

    @rule(address=st.sampled_from(ADDRESSES), key=st.sampled_from([None, None, OWN, SECOND, "missing"]))
    def the_tenant_applies(self, address: str, key: str | None) -> None:
        fields = {} if key is None else {"apiKeySecretRef": {"name": key}}
        self.world.tenant(address, **fields)

    @rule(word=st.sampled_from(sorted(POISON)), number=st.integers(0, 2))
    def the_tenant_applies_an_item_that_coldsend_chokes_on(self, word: str, number: int) -> None:
        self.world.tenant(f"{word}-{number}@tenant.com")

    @with_a_victim()
    def the_tenant_asks_for_the_address_of_a_victim(self, which: int) -> None:
        uid = self._of(self.world.victims, which)
        self.world.tenant(self.world.stories[uid].address)

    @with_a_tenant(since=st.sampled_from([0, 1_600_000_000, 1_700_000_000, 99_999_999_999]))
    def the_tenant_forges_a_mark(self, which: int, since: int) -> None:
        self.world.forge(self._of(self.world.tenants, which), since=since)

    @with_a_tenant()
    def the_tenant_puts_an_old_mark_back(self, which: int) -> None:
        self.world.replay(self._of(self.world.tenants, which))

    @with_a_tenant()
    def the_tenant_wipes_finalizers(self, which: int) -> None:
        self.world.wipe(self._of(self.world.tenants, which))

    @with_a_tenant(status=st.sampled_from(STATUSES))
    def a_status_of_another_version_stands_there(self, which: int, status: dict[str, object]) -> None:
        self.world.rewrite_status(self._of(self.world.tenants, which), status)

    @with_a_tenant()
    def the_tenant_writes_junk_metadata(self, which: int) -> None:
        self.world.junk_metadata(self._of(self.world.tenants, which))

    @with_a_tenant(key=st.sampled_from([None, OWN, SECOND, "missing"]))
    def the_tenant_moves_an_object_to_another_key(self, which: int, key: str | None) -> None:
        self.world.move(self._of(self.world.tenants, which), key)

    @with_a_tenant(number=st.integers(0, 20))
    def the_tenant_uses_a_junk_key(self, which: int, number: int) -> None:
        self.world.junk_key(self._of(self.world.tenants, which), number)

    @with_a_tenant()
    def the_tenant_deletes(self, which: int) -> None:
        self.world.delete(self._of(self.world.tenants, which))

    @with_a_tenant(count=st.sampled_from([1, 10]))
    def the_tenant_asks_for_a_probe_each_second(self, which: int, count: int) -> None:
        self.world.storm(self._of(self.world.tenants, which), count)

    @rule(count=st.sampled_from([1, 8]))
    def the_tenant_makes_and_deletes_an_object_each_second(self, count: int) -> None:
        self.world.churn(count)

    @rule(there=st.booleans())
    def the_tenants_own_key_comes_and_goes(self, there: bool) -> None:
        self.world.cluster.write_secret(TENANT, OWN, {"apiKey": OWN_KEY} if there else None)

    # -- accidents

    @rule(address=st.sampled_from(ADDRESSES[:3]))
    def a_person_makes_an_inbox_with_the_name_that_everybody_uses(self, address: str) -> None:
        self.world.make_by_hand(address)

    @rule(downtime=st.sampled_from([0.0, 50.0, 200.0]), wipe=st.booleans())
    def crash(self, downtime: float, wipe: bool) -> None:
        self.world.crash()
        if wipe:
            for uid in self.world.tenants:
                self.world.delete(uid)
        self.world.pass_time(downtime)
        self.world.start()

    @rule()
    def back_up_etcd(self) -> None:
        self.world.snapshot()

    @rule(running=st.booleans())
    def restore_etcd(self, running: bool) -> None:
        if not running:
            self.world.crash()
        self.world.restore()
        self.world.start()

    @rule(seconds=st.sampled_from([-20.0, 20.0]))
    def the_clock_of_the_api_server_jumps(self, seconds: float) -> None:
        self.world.jump(cluster=seconds)

    @rule(seconds=st.sampled_from([-20.0, 20.0]))
    def the_clock_of_coldsend_jumps(self, seconds: float) -> None:
        self.world.jump(remote=seconds)

    @rule(fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.DOWN_AFTER, Fault.RATE, Fault.NO_ID]))
    def coldsend_fails(self, fault: Fault) -> None:
        self.world.fault(fault)

    @rule(fault=st.sampled_from([Fault.LOST_BEFORE, Fault.LOST_AFTER]))
    def the_api_server_fails(self, fault: Fault) -> None:
        self.world.cluster_fault(fault)

    @rule(choices=st.lists(st.integers(0, 99), min_size=1, max_size=25))
    def go_on_step_by_step(self, choices: list[int]) -> None:
        for choice in choices:
            self.world.step(choice)

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, 125.0, 310.0]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    # -- what must hold

    @invariant()
    def nobody_is_harmed(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.finish()

    def _of(self, uids: list[str], which: int) -> str:
        return uids[which % len(uids)]


TestHostileTenant = HostileTenant.TestCase
TestHostileTenant.settings = profile(120)
