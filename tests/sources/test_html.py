"""HTML as people, Word and mail programs write it: its words are there, and what is damaged leaves the rest whole."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_encoding import CASES, TEXTS

from mmxcli.sources.encoding import encoding_of, web_encoding
from mmxcli.sources.html import HtmlReader
from mmxcli.sources.segment import Gap, Remark, Segment
from mmxcli.sources.spool import spool

BEGINS = "<!DOCTYPE html><html>"
# Not those that show nothing, or take what follows as it stands.
NAME = st.text("abxyz0159:@$-_.,#é北", max_size=9).map(lambda rest: "k" + rest)


def read(page: str | bytes, encoding: str | None = None) -> tuple[str, list[Gap], list[Remark]]:
    data = page if isinstance(page, bytes) else page.encode()
    content, reader = spool(io.BytesIO(data), "page"), HtmlReader(encoding)
    assert reader.recognises(data[: 1 << 16], content)
    items = list(reader.read(content))
    text = "".join(item.text for item in items if isinstance(item, Segment))
    return (
        " ".join(text.split()),
        [item for item in items if isinstance(item, Gap)],
        [item for item in items if isinstance(item, Remark)],
    )


@settings(max_examples=60, deadline=None)
@given(names=st.lists(NAME, min_size=1, max_size=5), closed=st.booleans())
def test_a_tag_may_have_any_name(names: list[str], closed: bool) -> None:
    inner = "".join(f"<{name}>{number} {f'</{name}>' if closed else ''}" for number, name in enumerate(names))
    text, gaps, _ = read(f"{BEGINS}<p>First</p><p>{inner}</p><p>Last</p>")
    assert text.startswith("First") and text.endswith("Last") and not gaps
    assert all(str(number) in text for number in range(len(names)))


def test_what_word_and_mail_programs_write() -> None:
    page = "<p class=MsoNormal>Hello<o:p></o:p></p><p>Ask Ada <ada@example.org> or <http://example.org>.</p>"
    assert read(f"{BEGINS}{page}<p>Last</p>")[0] == "Hello Ask Ada <ada@example.org> or . Last"


@pytest.mark.parametrize("depth", [300, 5000])
def test_what_stands_deep_is_read_and_what_comes_after_it(depth: int) -> None:
    for tag in ("div", "font", "li", "b"):
        assert read(f"{BEGINS}{f'<{tag}>' * depth}deep{f'</{tag}>' * depth}<p>Last")[0].split()[-2:] == ["deep", "Last"]


def test_what_comes_after_the_end_is_read() -> None:
    assert read(f"{BEGINS}<body><p>One</p></body></html>two{BEGINS}<body>Three</body></html>")[0] == "One two Three"


def test_formulas_drawings_and_what_is_quoted_as_it_stands() -> None:
    formula = "<math><mfrac><mn>1</mn><mn>2</mn></mfrac>{}</math>"
    plain, tex = formula.format(""), formula.format('<annotation encoding="application/x-tex">\\frac12</annotation>')
    other = formula.format("<annotation encoding='MathML-Content'>half</annotation>")
    drawing = "<svg><title>Icon</title><text>Spring</text><path/></svg>"
    page = f"{BEGINS}It is {plain} or {tex} or {other}.{drawing}<![CDATA[Quoted]]>"
    assert read(page)[0] == "It is 1 2 or \\frac12 or 1 2 . Spring Quoted"


@pytest.mark.parametrize(
    ("declared", "meant", "text"),
    [
        ("gb2312", "gbk", "北京 朱镕基 總理"),
        ("GBK", "gb18030", "北京 朱镕基 㐀"),
        ("shift_jis", "cp932", "日本①～髙"),
        ("x-sjis", "cp932", "日本①"),
        ("euc-kr", "cp949", "똠방각하 펲시콜라"),
        ("iso-8859-1", "cp1252", "“Straße” – 5 €"),
        ("us-ascii", "cp1252", "l’été"),
        ("iso-8859-9", "cp1254", "“İstanbul”"),
        ("tis-620", "cp874", "“กรุงเทพ”"),
        ("windows-31j", "cp932", "日本①"),
        ("utf-16", "utf-8", "Łódź"),
    ],
)
@pytest.mark.parametrize(
    "way", ['<meta charset="{}">', "<meta http-equiv=Content-Type content='text/html; charset={}'>"]
)
def test_a_declared_encoding_is_what_browsers_take_it_for(declared: str, meant: str, text: str, way: str) -> None:
    style = f"<style>{'x' * 5000}</style>"  # far from the beginning
    page = f"{BEGINS}<!-- <meta charset=koi8-r> -->{style}{way.format(declared)}<p>{text}<p>Last"
    assert read(page.encode(meant)) == (f"{text} Last", [], [])


@pytest.mark.parametrize("label", ["rot13", "utf-7", "idna", "unicode_escape", "nobody-knows-it", "x-user-defined"])
def test_what_no_page_may_be_in_is_not_taken(label: str) -> None:
    assert web_encoding(label) is None
    assert read(f"{BEGINS}<meta charset={label}><p>Łódź")[0] == "Łódź"


@pytest.mark.parametrize(("language", "encoding"), CASES, ids=["-".join(case) for case in CASES])
@pytest.mark.parametrize("declared", ["", "<meta charset=utf-8>", "<meta charset=klingon>"])
def test_a_page_that_lies_or_says_nothing_gives_its_words(language: str, encoding: str, declared: str) -> None:
    page = f"{BEGINS}{declared}<body class='home page'>" + f"<p class='entry'>{TEXTS[language]}</p>" * 3
    text, gaps, remarks = read(page.encode(encoding))
    assert text == " ".join([TEXTS[language]] * 3)
    assert not gaps and bool(remarks) == (encoding != "utf-8")


@pytest.mark.parametrize("declared", ["iso-8859-1", "koi8-r", "gb2312", "shift_jis"])
def test_utf_8_is_seen_whatever_it_says(declared: str) -> None:
    for text in TEXTS.values():
        assert read(f"{BEGINS}<meta charset={declared}><p>{text}") == (text, [], [])


def test_too_little_to_tell_is_western() -> None:
    text, gaps, [remark] = read(f"{BEGINS}<p>café".encode("cp1252"))
    assert (text, gaps) == ("café", []) and "cp1252, 10% sure" in remark.text


@settings(max_examples=60, deadline=None)
@given(damage=st.binary(min_size=1, max_size=4).map(lambda data: bytes(byte | 0x80 for byte in data)))
@pytest.mark.parametrize(
    "name", ["gb2312", "shift_jis", "euc-kr", "windows-1252", "utf-8", "euc-jp", "big5", "klingon"]
)
def test_bytes_that_do_not_decode_do_not_end_the_page(name: str, damage: bytes) -> None:
    text, gaps, _ = read(f"{BEGINS}<meta charset={name}><p>First ".encode() + damage + b" </p><p>Last")
    assert text.startswith("First") and text.endswith("Last")
    assert bool(gaps) == ("\ufffd" in text)


def test_what_a_person_names_overrules_but_not_a_mark() -> None:
    page = f"{BEGINS}<meta charset=iso-8859-5><p>{TEXTS['Russian']}"
    assert read(page.encode("koi8-u"), "koi8-u") == (TEXTS["Russian"], [], [])
    for marked in ("utf-8-sig", "utf-16", "utf-32"):
        assert read(page.encode(marked), "koi8-u") == (TEXTS["Russian"], [], [])


@pytest.mark.parametrize("length", range(60, 64))
def test_a_zero_does_not_make_wide_characters_of_a_page(length: int) -> None:
    page = f"{BEGINS}<p>one</p><p>two \0</p>".ljust(length, "x").encode()
    found = encoding_of(page, whole=True)
    assert found and found.name == "UTF-8"
    assert read(page)[0].startswith("one two")
