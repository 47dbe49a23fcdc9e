"""Whatever a document or a model writes, a terminal obeys none of it."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from mmxcli.render.escape import json_text, one_line, visible

ANY_TEXT = st.text(st.characters(exclude_categories=[])) | st.text(
    st.sampled_from("a \x1b[]0;\x07\r\n\t\x9b\u202e\u2066\u200b")
)


def harmless(character: str) -> bool:
    """Printable, a space of some width, or a mark that only joins or parts letters."""
    return character.isprintable() or unicodedata.category(character) == "Zs" or character in "\u00ad\u200c\u200d"


@given(ANY_TEXT)
def test_only_printable_characters_new_lines_and_tabs_come_out(text: str) -> None:
    assert all(harmless(character) or character in "\n\t" for character in visible(text))


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert all(map(harmless, one_line(text)))


@given(ANY_TEXT)
def test_what_is_safe_already_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(ANY_TEXT)
def test_json_stays_the_same_json_and_is_harmless(text: str) -> None:
    written = json_text(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert all(map(harmless, written))


def test_escapes_are_shown() -> None:
    assert visible("a\x1b[31mb\x07\x9b\u202ec") == r"a\x1b[31mb\x07\x9b\u202ec"
    assert one_line("a\nb\tc\rd") == r"a\nb\tc\rd"


def test_people_keep_their_scripts() -> None:
    for text in (
        "👩‍👩‍👧 family",
        "می‌خواهم",
        "नमस्ते",
        "日本語　全角",
        "naïve café",
        "a\u00a0b",
        "co\u00adoperate",
    ):
        assert visible(text) == text


def test_line_ends_of_other_systems_are_line_ends() -> None:
    assert visible("a\r\nb\rc") == "a\nb\nc"
