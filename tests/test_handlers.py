"""What kopf is made to do for us, and what not."""

from coldsend_operator.handlers import _NoMemories


async def test_that_kopf_remembers_nothing_of_an_object() -> None:
    memories = _NoMemories()
    await memories.recall({"metadata": {"uid": "uid-1"}}, noticed_by_listing=True)
    assert list(memories.iter_all_memories()) == []
