"""The status of an account is kept packed: nothing of it may change on the way."""

from hypothesis import given
from hypothesis import strategies as st

from coldsend_operator.core.model.packing import pack, unpack

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
STATUSES = st.dictionaries(
    st.text(), st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)


@given(STATUSES)
def test_that_a_status_comes_out_as_it_went_in(status: dict[str, object]) -> None:
    assert unpack(pack(status)) == status


@given(STATUSES, STATUSES)
def test_that_equal_packs_hold_equal_statuses(one: dict[str, object], other: dict[str, object]) -> None:
    assert (pack(one) == pack(other)) <= (one == other)


def test_that_no_status_takes_no_room() -> None:
    assert pack({}) == b""
    assert unpack(b"") == {}
