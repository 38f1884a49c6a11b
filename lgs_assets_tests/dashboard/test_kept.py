"""Pages that are kept: the latest asked for, within their bytes."""

from hypothesis import given
from hypothesis import strategies as st

from lgs_assets.dashboard.kept import KeptPages


def test_those_asked_for_last_stay() -> None:
    kept = KeptPages(most_bytes=20)
    kept.keep("a", b"a" * 10)
    kept.keep("b", b"b" * 10)
    assert kept.get("a")
    kept.keep("c", b"c" * 10)
    assert [name for name in "abc" if kept.get(name)] == ["a", "c"]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 12)), max_size=40))
def test_what_is_kept_is_what_was_given_last_and_never_too_much(pages: list[tuple[str, int]]) -> None:
    kept, given_last = KeptPages(most_bytes=20), dict[str, bytes]()
    for name, size in pages:
        given_last[name] = name.encode() * size
        kept.keep(name, given_last[name])
        assert kept.get(name) == given_last[name]
        found = {name: page for name in given_last if (page := kept.get(name))}
        assert sum(map(len, found.values())) <= 20
        assert found.items() <= given_last.items()


def test_a_page_larger_than_all_that_may_be_kept_is_not() -> None:
    kept = KeptPages(most_bytes=20)
    kept.keep("a", b"a" * 21)
    assert kept.get("a") is None
