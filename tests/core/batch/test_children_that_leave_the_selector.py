"""Children that leave the selector of the operator while it writes them."""

from tests.support.rough import RoughWorld


def test_that_children_which_leave_during_a_write_are_not_written_in_a_loop() -> None:
    world = RoughWorld(bulk=2)
    world.start()
    world.list_in_batch("sales", "tub", ["p0@pool.com", "p1@pool.com", "p2@pool.com"])
    (batch,) = world.batches
    world.wait(30.0)
    world.change_template(batch, updatePolicy="Recreate", dailyLimit=8)
    world.wait(1.0)
    world.edit(world.uids[0], displayName="Joe")
    world.leave_shard(batch)
    world.step(69)
    world.pass_time(0.05)
    world.change_template(batch, deletionProtection=False)
    world.wait(60.0)  # fails when anything goes on for ever without time passing
