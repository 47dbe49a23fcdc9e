"""Books as publishers make them: every part in the order of reading is read or told, in the chapter it belongs to."""

import io
import zipfile
from collections.abc import Mapping, Sequence

import pytest
from formats import zipped
from hypothesis import given, settings
from hypothesis import strategies as st

from mmxcli.sources.epub import MOST_NAMES, EpubReader
from mmxcli.sources.segment import Gap, Segment
from mmxcli.sources.spool import spool

HTML = "application/xhtml+xml"


def book(
    pages: Mapping[str, str],
    contents: Sequence[tuple[str, str]] = (),
    kinds: Mapping[str, str] = {},
    spine: Sequence[str] = (),
    ncx: bool = True,
) -> bytes:
    """`contents`: titles and where they lead; `kinds`: media types of pages, and after a quote more of an item."""
    items = "".join(f'<item id="{name}" href="{name}" media-type="{kinds.get(name, HTML)}"/>' for name in pages)
    points = "".join(
        f'<navPoint><navLabel><text>{title}</text></navLabel><content src="{target}"/></navPoint>'
        for title, target in contents
    )
    links = "".join(f'<a href="{target}">{title}</a>' for title, target in contents)
    listed = '<nav epub:type="page-list"><a href="a#two">2</a></nav>'
    ops = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
    items += (
        '<item id="toc" href="toc" media-type="application/x-dtbncx+xml"/>'
        if ncx
        else f'<item id="toc" href="toc" properties="nav" media-type="{HTML}"/>'
    )
    order = "".join(f'<itemref idref="{name}"/>' for name in spine or pages)
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfile full-path="book.opf"/></container>',
            "book.opf": f"<package><manifest>{items}</manifest><spine>{order}</spine></package>",
            "toc": f"<ncx>{points}</ncx>" if ncx else f'<html {ops}>{listed}<nav epub:type="toc">{links}</nav></html>',
            **{
                name: f"<html><body>{page}</body></html>".encode("utf-8", "surrogateescape")
                for name, page in pages.items()
            },
        },
        zipfile.ZIP_STORED,
    )


def read(data: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Text and place of each segment, and what is told."""
    items = list(EpubReader().read(spool(io.BytesIO(data), "book")))
    return (
        [(" ".join(one.text.split()), one.place.words) for one in items if isinstance(one, Segment) and one.place],
        [one.reason for one in items if isinstance(one, Gap)],
    )


@settings(max_examples=60, deadline=None)
@given(
    chapters=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["id", "name", "outer", "none"])), min_size=1),
    ncx=st.booleans(),
)
def test_a_passage_is_in_the_chapter_that_began_last(chapters: list[tuple[int, str]], ncx: bool) -> None:
    pages, contents, wanted = dict[str, str](), list[tuple[str, str]](), list[tuple[str, str]]()
    at = ""
    for number, (_, way) in enumerate(chapters):
        file = f"f{sum(one for one, _ in chapters[: number + 1])}"
        anchor = f"c {number}"
        shown = {
            "id": f'<h1 id="{anchor}">h{number}</h1><p>t{number}</p>',
            "name": f'<h1><a name="{anchor}"/>h{number}</h1><p>t{number}</p>',
            "outer": f'<div id="{anchor}"><h1>h{number}</h1><p>t{number}</p></div>',
            "none": f"<h1>h{number}</h1><p>t{number}</p>",  # not in the table of contents
        }[way]
        if way != "none":
            at = f"chapter “C{number}”"
            contents.append((f"C{number}", f"{file}#{anchor.replace(' ', '%20')}"))
        pages[file] = pages.get(file, "") + shown
        wanted += [(f"# h{number}", at), (f"t{number}", at)]
    found, told = read(book(pages, contents, ncx=ncx))
    assert [text for text, _ in found] == [text for text, _ in wanted] and not told
    assert [place for text, place in found] == [at or place for (_, place), (_, at) in zip(found, wanted, strict=True)]


def test_an_anchor_that_is_not_there_means_the_file_and_pages_are_no_chapters() -> None:
    contents = [("One", "a#gone"), ("Two", "b")]
    found, _ = read(book({"a": '<p>x</p><p id="two">y</p>', "b": "<p>z</p>"}, contents, ncx=False))
    assert found == [("x", "chapter “One”"), ("y", "chapter “One”"), ("z", "chapter “Two”")]


def test_every_kind_of_part_is_read_or_told() -> None:
    kinds = {
        "b": "text/x-oeb1-document",
        "c": "application/xml",
        "d": "image/svg+xml",
        "e": "image/jpeg",
        "f": 'application/pdf" fallback="g',
    }
    pages = {
        "a": "Alpha",
        "b": "Beta",
        "c": "Gamma",
        "d": "<svg><text>Delta</text></svg>",
        "e": "E",
        "f": "F",
        "g": "Eta",
    }
    found, told = read(book(pages, kinds=kinds, spine="abcdef"))
    assert [text for text, _ in found] == ["Alpha", "Beta", "Gamma", "Delta", "Eta"]
    assert told == ["its part e is image/jpeg, which is not read"]


@pytest.mark.parametrize(("missing", "more"), [(1, ""), (MOST_NAMES, ""), (MOST_NAMES + 2, " and 2 more")])
def test_what_the_order_names_and_is_not_there_is_told(missing: int, more: str) -> None:
    found, (told,) = read(book({"a": "Alpha"}, spine=[*(f"no{n}" for n in range(missing)), "a", "no0"]))
    assert found == [("Alpha", "part a")]
    assert told.startswith("parts that its reading order names are not in it: no0") and told.endswith(more)
    assert told.count("no") == min(missing, MOST_NAMES) + 1  # and "not"


def test_a_damaged_part_leaves_the_others() -> None:
    data = book({"a": "Alpha", "b": "Beta", "c": "Gamma"}).replace(b"Beta", b"Best")
    found, told = read(data)
    assert [text for text, _ in found] == ["Alpha", "Gamma"] and told == ["its part b cannot be read"]


def test_what_is_wrong_with_the_encoding_of_a_part_is_told() -> None:
    found, told = read(book({"a": "Alpha", "b": f"{'é' * 20} \udcff"}))
    assert [text for text, _ in found] == ["Alpha", f"{'é' * 20} \ufffd"]
    assert told == ["its part b: 1 bytes are not UTF-8, the first on line 1"]
