"""As of a place in the text: all before it, and nothing after."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdfs import pdf, showing

from mmxcli.errors import UsageError
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.reading.corpus import Corpus, text_of
from mmxcli.reading.upto import Upto, parse_upto, until
from mmxcli.recall.outline import Headings

BODY = "The sea was calm, and nothing was seen of the whale for a long while. " * 5
BOOK = (
    "CONTENTS\n\nCHAPTER 1. Land\n\nCHAPTER 2. Sea\n\nCHAPTER III. Storm\n\n"
    f"CHAPTER 1. Land\n\n{BODY}\n\nCHAPTER 2. Sea\n\n{BODY}\n\nSECTION 1. A list\n\n{BODY}\n\n"
    f"CHAPTER III. Storm\n\n{BODY}\n\nTHE END\n"
)


@pytest.fixture(scope="module")
def tokenizer(tiny_folder: Path) -> Tokenizer:
    return Tokenizer(tiny_folder)


def text(corpus: Corpus) -> str:
    return "".join(map(text_of, corpus.items()))


def cut(tmp_path: Path, place: str, tokenizer: Tokenizer, content: str | bytes = BOOK, name: str = "book.txt") -> str:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    corpus = Corpus.open([str(file)], None)
    whole, short = text(corpus), text(until(corpus, parse_upto(place), tokenizer))
    assert whole.startswith(short)
    return short


def test_chapters(tmp_path: Path, tokenizer: Tokenizer) -> None:
    """Those with a text of their own, whatever the contents list; a heading of another sort ends none."""
    second, third = BOOK.rindex("CHAPTER 2"), BOOK.rindex("CHAPTER III")
    assert cut(tmp_path, "chapter:1", tokenizer) == BOOK[:second]
    assert cut(tmp_path, "chapter:2", tokenizer) == BOOK[:third]
    assert cut(tmp_path, "chapter:3", tokenizer) == BOOK
    with pytest.raises(UsageError, match="the highest number of its chapters is 3"):
        cut(tmp_path, "chapter:4", tokenizer)
    with pytest.raises(UsageError, match="no numbers"):
        cut(tmp_path, "chapter:1", tokenizer, "Only words.\n")


SORTS = {
    "wrapped": ("CHAPTER {0}. In which a great deal is said of the sea and of\nall that swims in it; and more", str),
    "Roman, alone": ("{0}", lambda n: ("I", "II", "III", "IV", "V", "VI")[n - 1]),
    "in words": ("Chapter {0}", lambda n: ("One", "Two", "Three", "Four", "Five", "Six")[n - 1]),
    "marked": ("## {0} Results", str),
    "underlined": ("Section {0}\n---------", str),
    "a page of its own": ("    CHAPTER {0}.\n\n\n    THE SEA", str),
}


@pytest.mark.parametrize("sort", SORTS)
@given(count=st.integers(2, 6), contents=st.booleans(), letters=st.booleans(), prefix=st.text("ab .\n", max_size=60))
def test_no_chapter_holds_the_next(
    tmp_path_factory: pytest.TempPathFactory,
    tokenizer: Tokenizer,
    sort: str,
    count: int,
    contents: bool,
    letters: bool,
    prefix: str,
) -> None:
    """Wherever the text is cut into segments, and whatever comes before its chapters."""
    form, number = SORTS[sort]
    titles = [form.format(number(n)) for n in range(1, count + 1)]
    before = f"{prefix}\n\n" + ("".join(f"{title}\n\n" for title in titles) + "PREFACE\n\n" + BODY if contents else "")
    if letters and "CHAPTER" in form:  # as Frankenstein begins
        before += "".join(f"\n\nLetter {n}\n\n{BODY}" for n in (1, 2, 3, 4))
    chapters = [f"{title}\n\n{BODY * 3}\n\n" for title in titles]
    book = before + "\n\n" + "".join(chapters)
    for n in range(1, count + 1):
        end = len(book) - len("".join(chapters[n:]))
        assert abs(end - len(cut(tmp_path_factory.mktemp("book"), f"chapter:{n}", tokenizer, book))) <= 4, (
            n
        )  # its indentation


@given(
    at=st.integers(1, 300), text=st.lists(st.sampled_from(["CHAPTER 1\n", "\n", "THE SEA\n", "words\n", "---\n", "x"]))
)
def test_where_a_text_is_cut_does_not_matter(at: int, text: list[str]) -> None:
    whole, scan = "".join(text), Headings()
    pieces = [whole[start : start + at] for start in range(0, len(whole), at)]
    found = [heading for piece in pieces for heading in scan.read(piece, last=False)] + list(scan.read("", last=True))
    assert found == list(Headings().read(whole, last=True))


def test_what_is_not_clear_is_not_guessed(tmp_path: Path, tokenizer: Tokenizer) -> None:
    parts = "".join(f"PART {part}\n\nCHAPTER {n}\n\n{BODY}\n\n" for part in (1, 2) for n in (1, 2))
    with pytest.raises(UsageError, match="it has 2 chapters 2; use page: or line:"):
        cut(tmp_path, "chapter:2", tokenizer, parts)
    with pytest.raises(UsageError, match="after chapter 3 that can be told is 5"):
        cut(tmp_path, "chapter:3", tokenizer, "".join(f"CHAPTER {n}\n\n{BODY}\n\n" for n in (3, 5)))
    for following in (
        "Chapter the Last",
        "-- chapter 4 --",
        "4",
        "**Chapter 4**",
        " ## Chapter 4",
        "IV",
        "Chapter Four:",
    ):
        for blank in ("\n", ""):
            with pytest.raises(UsageError, match="begins like chapter 4"):
                content = f"CHAPTER 3\n\n{BODY}{blank}\nand so on\n{following}\n{BODY}\n{BODY}"
                cut(tmp_path, "chapter:3", tokenizer, content)
    for following in ("PART TWO", "Epilogue: Ten Years Later", "EPILOGUE\nTEN YEARS LATER", "# Epilogue", "Interlude"):
        content = f"CHAPTER 3\n\n{BODY}\n\n{following}\n\n{BODY}\n\nCHAPTER 4\n\n{BODY}"
        assert cut(tmp_path, "chapter:3", tokenizer, content) == content[: content.index(following)]
    below = f"CHAPTER 3\n\n{BODY}\n\n"  # the next one's text begins in the line after it
    assert cut(tmp_path, "chapter:3", tokenizer, below + "CHAPTER 4. The sea\n" + BODY * 9) == below


@given(
    lines=st.lists(st.text("ab ", max_size=5), min_size=1, max_size=9), ended=st.booleans(), number=st.integers(1, 9)
)
def test_lines(
    tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer, lines: list[str], ended: bool, number: int
) -> None:
    content = "x" + "\n".join(lines) + "\n" * ended
    expected = content.splitlines(keepends=True)
    folder = tmp_path_factory.mktemp("lines")
    if number > len(expected):
        with pytest.raises(UsageError, match=rf"its last line is {len(expected)}$"):
            cut(folder, f"line:{number}", tokenizer, content)
    else:
        assert cut(folder, f"line:{number}", tokenizer, content) == "".join(expected[:number])


def test_pages(tmp_path: Path, tokenizer: Tokenizer) -> None:
    content = pdf(*(showing(f"page {n}") for n in (1, 2, 3)))
    assert "page 2" in cut(tmp_path, "page:2", tokenizer, content, "three.pdf")
    assert "page 3" not in cut(tmp_path, "page:2", tokenizer, content, "three.pdf")
    with pytest.raises(UsageError, match="last page with text is 3"):
        cut(tmp_path, "page:4", tokenizer, content, "three.pdf")
    with pytest.raises(UsageError, match="no pages"):
        cut(tmp_path, "page:1", tokenizer)


@given(number=st.integers(1, 40))
def test_tokens(tmp_path_factory: pytest.TempPathFactory, tokenizer: Tokenizer, number: int) -> None:
    found = cut(tmp_path_factory.mktemp("tokens"), f"token:{number}", tokenizer)
    alone, whole = tokenizer.encode(found), tokenizer.encode(BOOK)
    assert abs(len(alone) - number) <= 1  # blank lines at the very end may be other tokens there
    assert alone[:-2] == whole[: max(0, len(alone) - 2)]


def test_a_token_too_far(tmp_path: Path, tokenizer: Tokenizer) -> None:
    with pytest.raises(UsageError, match=f"it has {len(tokenizer.encode(BOOK)):,} tokens"):
        cut(tmp_path, "token:100000", tokenizer)


def test_one_document(tmp_path: Path, tokenizer: Tokenizer) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(BOOK)
    corpus = Corpus.open([str(tmp_path)], None)
    with pytest.raises(UsageError, match="give one source"):
        until(corpus, Upto("line", 3), tokenizer)
    assert len(tokenizer.encode(text(until(corpus, Upto("token", 9), tokenizer)))) == 9


def test_another_place_is_another_text(tmp_path: Path, tokenizer: Tokenizer) -> None:
    (tmp_path / "a.txt").write_text(BOOK)
    corpus = Corpus.open([str(tmp_path / "a.txt")], None)
    assert len({corpus.digest, *(until(corpus, Upto("line", n), tokenizer).digest for n in (3, 4))}) == 3


@pytest.mark.parametrize("written", ["", "page", "page:", "page:0", "page:-1", "paragraph:3", "page:1.5", "page:1:2"])
def test_what_names_no_place(written: str) -> None:
    with pytest.raises(UsageError, match="page:120"):
        parse_upto(written)
