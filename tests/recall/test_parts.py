"""The parts of a text lie within each other, cover what is to be read, and are called as the text calls them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall.parts import LEAST, LONGEST, Part, contents, parts_of

BODY = "The ship went on over the grey water, and nobody said a word about it. " * 8 + "\n\n"
lines = st.sampled_from(
    ["# One\n\n", "## Two\n\n", "CHAPTER I.\n\n", "PART II\n\n", "CAPITALS\n\n", BODY, "a line\n", "\n"]
)


def titles(part: Part) -> list[object]:
    return [part.title, *[titles(inner) for inner in part.parts]]


@settings(deadline=None)
@given(st.lists(lines, max_size=30).map("".join))
def test_parts_lie_within_each_other_in_order(text: str) -> None:
    def check(part: Part) -> None:
        at = part.start
        for inner in part.parts:
            assert at <= inner.start < inner.end <= part.end
            at = inner.end
            check(inner)

    with opened({"a.md": [text]}) as index:
        check(parts_of(index, "all"))


def test_a_book_without_its_contents() -> None:
    contents = "CONTENTS\n\nPART I\n\nCHAPTER I. The Sea\n\nCHAPTER II. The Land\n\nPART II\n\nCHAPTER III. The Sky\n\n"
    book = (
        f"PART I\n\nCHAPTER I. The Sea\n\n{BODY}CHAPTER II. The Land\n\n{BODY}PART II\n\nCHAPTER III. The Sky\n\n{BODY}"
    )
    with opened({"a.txt": [contents + book]}) as index:
        part = parts_of(index, "all")
    assert titles(part) == [
        "a.txt",
        ["PART I", ["CHAPTER I. The Sea"], ["CHAPTER II. The Land"]],
        ["PART II", ["CHAPTER III. The Sky"]],
    ]


def test_the_title_of_a_chapter_may_stand_below_its_number() -> None:
    with opened({"a.txt": [f"CHAPTER I.\n\nThe Sea.\n\n{BODY}CHAPTER II.\n\nThe Land.\n\n{BODY}"]}) as index:
        assert titles(parts_of(index, "all")) == ["a.txt", ["CHAPTER I. The Sea."], ["CHAPTER II. The Land."]]


def test_a_text_without_headings_is_cut_where_paragraphs_end() -> None:
    with opened({"a.txt": [BODY * (3 * LONGEST // len(BODY))]}) as index:
        part = parts_of(index, "all")
        assert len(part.parts) >= 3 and part.parts[0].title.startswith("lines 1-")
        assert all(index.text("a.txt", inner.start - 2, inner.start) == "\n\n" for inner in part.parts[1:])
        assert part.parts[0].start == 0 and part.parts[-1].end == part.end


def test_folders_are_parts_and_one_alone_is_not_told() -> None:
    documents = {name: ["Some words of a text.\n"] for name in ("r/a.txt", "r/b/c.txt", "r/b/d.txt", "r/e/f/g.txt")}
    with opened(documents) as index:
        assert titles(parts_of(index, "r/")) == ["r/", ["a.txt"], ["b/", ["c.txt"], ["d.txt"]], ["e/f/g.txt"]]
        assert titles(parts_of(index, "r/", ["r/b/c.txt"])) == ["c.txt"]


def test_pages_name_what_has_no_headings() -> None:
    pages = [BODY * (LONGEST // len(BODY)) for _ in range(3)]
    with opened({"a.pdf": pages}, pages=True) as index:
        first, *_ = parts_of(index, "all").parts
        assert first.title.startswith("pages 1-")


def test_a_heading_with_little_below_it_is_none() -> None:
    with opened({"a.md": [f"# One\n\nshort\n\n## Two\n\n{BODY}"]}) as index:
        assert len(BODY) > LEAST
        assert titles(parts_of(index, "all")) == ["a.md", ["One", ["Two"]]]


def test_what_the_parts_are_called_in_few_words() -> None:
    chapters = "".join(f"CHAPTER {n}. {name}\n\n{BODY * n}" for n, name in enumerate(("The Sea", "The Land", "Ice"), 1))
    with opened({"a.txt": [f"PREFACE\n\n{BODY}{chapters}"]}) as index:
        part = parts_of(index, "all")
        assert contents(part, 30) == "3 chapters: The Sea; The Land; Ice"
        assert contents(part, 5) == "3 chapters, the longest: The Land; Ice"
        assert contents(part, 1) == "3 chapters"
    nameless = "".join(f"Chapter {n}\n\n{BODY}" for n in ("I", "II", "III", "IV", "V"))
    with opened({"a.txt": [f"{nameless}BOATS\n\n{BODY}PIERS\n\n{BODY}"]}) as index:
        assert contents(parts_of(index, "all"), 30) == "5 chapters"
    with opened({"a.md": [f"# Boats\n\n## Ferries\n\n{BODY}## Tugs\n\n{BODY}# Piers\n\n{BODY}"]}) as index:
        assert contents(parts_of(index, "all"), 30) == "its parts: Boats (Ferries; Tugs); Piers"
    with opened({"a.txt": [BODY * (3 * LONGEST // len(BODY))]}) as index:
        assert contents(parts_of(index, "all"), 30) == ""
