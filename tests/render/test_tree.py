"""The tree that mmx count prints."""

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.render.tree import MOST, tree
from mmxcli.tasks.events import Counted

NAME = st.text("abc", min_size=1, max_size=2)
SOURCES = st.lists(st.lists(NAME, min_size=1, max_size=4).map("/".join), unique=True, max_size=30)


def test_largest_first_and_folders_that_hold_one_thing_in_one_line() -> None:
    documents = [Counted(name, tokens, 0) for name, tokens in (("a/b/x.py", 5), ("a/b/y.py", 7), ("c/d/z.txt", 20))]
    assert list(tree(documents)) == [
        "         20  c/d/z.txt",
        "         12  a/b/",
        "          7    y.py",
        "          5    x.py",
    ]
    assert list(tree([Counted("/tmp/a.txt", 1, 0), Counted("/tmp/b.txt", 2, 0)])) == [
        "          3  /tmp/",
        "          2    b.txt",
        "          1    a.txt",
    ]


@given(sources=SOURCES, tokens=st.lists(st.integers(0, 10**6), min_size=30, max_size=30))
def test_no_token_is_lost(sources: list[str], tokens: list[int]) -> None:
    documents = [Counted(f"{source}.txt", count, 0) for source, count in zip(sources, tokens, strict=False)]
    top = [line for line in tree(documents) if line[13] != " "]
    assert sum(int(line[:11].replace(",", "")) for line in top) == sum(document.tokens for document in documents)


def test_of_very_many_the_largest_are_told() -> None:
    lines = list(tree(Counted(f"{number:05}.txt", number, 0) for number in range(1000)))
    assert len(lines) == MOST + 1 and lines[0].endswith("00999.txt") and lines[-1].endswith("… and 980 more")
