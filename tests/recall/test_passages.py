from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import segments

from mmxcli.recall.passages import LONGEST, MOST_OVERLAP, Passage, cut

# Runs that make long documents: words, unbroken strings, blank lines, code, several scripts.
texts = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(
            ["word " * 150, "x" * 1500, "\n" * 900, "猫" * 800, "A sentence. " * 80, "\n\ndef f(a):\n    b\n" * 40]
        ),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(texts, texts, st.booleans(), st.sampled_from(["a.txt", "a.py"]))
def test_passages_are_exact_bounded_and_cover_everything(one, two, pages, name):
    documents = {name: one, "other": two}
    passages = list(cut(segments(documents, pages)))
    assert [passage.id for passage in passages] == list(range(1, len(passages) + 1))
    for source, pieces in documents.items():
        text = "".join(pieces)
        covered = [character.isspace() for character in text]
        for passage in (p for p in passages if p.source == source):
            assert text[passage.start : passage.end] == passage.text
            assert 0 < len(passage.text) <= LONGEST
            assert passage.line == 1 + text.count("\n", 0, passage.start)
            assert passage.page == (_page(pieces, passage.start) if pages else None)
            covered[passage.start : passage.end] = [True] * len(passage.text)
        assert all(covered)


def _page(pieces, offset):
    end = 0
    for number, piece in enumerate(pieces, 1):
        end += len(piece)
        if offset < end:
            return number
    raise AssertionError("an offset beyond the document")


@settings(max_examples=60, deadline=None)
@given(texts, st.integers(1, 700))
def test_the_cut_does_not_depend_on_the_segments(pieces, size):
    text = "".join(pieces)
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    assert list(cut(segments({"a": parts}))) == list(cut(segments({"a": [text]})))


def test_prose_is_parted_at_sentences_and_paragraphs():
    text = "\n\n".join(
        "The ship sailed on through the night. Nobody on deck said a word to Mr. Starbuck. " * 3 for _ in range(20)
    )
    passages = list(cut(segments({"book.txt": [text]})))
    assert len(passages) > 5
    assert all(passage.text.endswith(".") and passage.text[0].isupper() for passage in passages)
    assert all(len(passage.text) > LONGEST / 2 for passage in passages)
    neighbours = pairwise(passages)
    assert all(0 < one.end - other.start <= MOST_OVERLAP for one, other in neighbours)


def test_code_is_parted_at_lines_and_functions():
    text = "".join(
        f"def function_{i}(value):\n" + "    value = value * 2 + 1\n" * 9 + "    return value\n\n\n" for i in range(30)
    )
    passages = list(cut(segments({"code.py": [text]})))
    lines = set(text.split("\n"))
    assert all(set(passage.text.split("\n")) <= lines for passage in passages)
    assert all(text[passage.end :].lstrip().startswith("def ") for passage in passages[:-1])


def test_a_passage_knows_what_it_stands_under():
    body = "    def write(self):\n" + "        self.count = self.count + 1\n" * 60
    assert _last(cut(segments({"a.py": [f"import os\n\nclass Formatter(Base):\n{body}"]}))).headings.split("\n") == [
        "class Formatter(Base):",
        "def write(self):",
    ]
    prose = "Call me Ishmael. Some years ago I went to sea. " * 40
    for heading in ("CHAPTER 1. Loomings.", "# Loomings", "THE WHALE", "Loomings\n--------"):
        found = _last(cut(segments({"a.md": [f"{heading}\n\n{prose}"]}))).headings
        assert found == heading.split("\n", maxsplit=1)[0].lstrip("# ")


def _last(passages) -> Passage:
    return list(passages)[-1]


def test_segments_that_leave_something_out_are_refused():
    one, two = segments({"a": ["x" * 10, "y" * 10]})
    try:
        list(cut([two, one]))
    except ValueError as error:
        assert "a: a segment starts at 0" in str(error)
    else:
        raise AssertionError("the gap went unnoticed")
