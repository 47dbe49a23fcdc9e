"""Text in the encodings that people have, found out or named."""

import io
import os
from pathlib import Path

import pytest
from everything import everything
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.config import Settings
from mmxcli.errors import UsageError
from mmxcli.sources.choice import Choice
from mmxcli.sources.encoding import encoding_of
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Remark, Segment
from mmxcli.sources.spool import spool
from mmxcli.sources.text import TextReader

TEXTS = {
    "Chinese": "北京是中华人民共和国的首都，也是一座拥有三千多年历史的古城。每年有数百万游客前来参观。",
    "Taiwan": "臺北是臺灣的首都，也是一個充滿活力的城市。許多人喜歡在夜市裡品嚐各種小吃，並且在週末到山上健行。",
    "Japanese": "東京は日本の首都であり、世界でも有数の大都市です。春には桜が咲き、公園でお花見を楽しみます。",
    "Korean": "서울은 대한민국의 수도이며 많은 사람들이 살고 있는 도시입니다. 봄에는 벚꽃이 핍니다.",
    "Russian": "Москва является столицей России и крупнейшим городом страны. Зимой здесь очень холодно.",
    "German": "Die alte Brücke über den Fluß wurde im Jahre 1823 gebaut. Größere Häuser blieben trocken.",
    "French": "L'été dernier, nous avons traversé la forêt près du château. Les élèves étaient fatigués.",
    "Polish": "Wczoraj wieczorem poszliśmy nad rzekę, gdzie łódki kołysały się na wodzie, a dzieci śpiewały piosenki.",
    "Greek": "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και μια από τις αρχαιότερες πόλεις του κόσμου.",
    "Hebrew": "ירושלים היא עיר הבירה של ישראל. בחורף יורד בה לפעמים שלג, ובקיץ חם מאוד.",
}
ENCODINGS = {
    "Chinese": ["utf-8", "gb18030", "gbk", "utf-16-le", "utf-16-be"],
    "Taiwan": ["big5"],
    "Japanese": ["shift_jis", "euc_jp", "iso2022_jp"],
    "Korean": ["euc_kr"],
    "Russian": ["koi8_r", "cp1251", "iso8859_5", "cp866", "utf-16-be"],
    "German": ["latin_1", "cp1252", "utf-16-le", "utf-32-le"],
    "French": ["latin_1"],
    "Polish": ["iso8859_2", "cp1250"],
    "Greek": ["cp1253"],
    "Hebrew": ["cp1255"],
}
CASES = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings]


def read(data: bytes, encoding: str | None = None) -> tuple[str, list[Remark]]:
    reader = TextReader(encoding)
    content = spool(io.BytesIO(data), "file")
    assert reader.recognises(data[: 1 << 16], content)
    items = list(reader.read(content))
    remarks = [item for item in items if isinstance(item, Remark)]
    return "".join(item.text for item in items if isinstance(item, Segment)), remarks


@pytest.mark.parametrize(("language", "encoding"), CASES, ids=["-".join(case) for case in CASES])
@pytest.mark.parametrize("times", [1, 30])
def test_what_people_have_is_found_out(language: str, encoding: str, times: int) -> None:
    text = (TEXTS[language] + "\r\n") * times
    found, remarks = read(text.encode(encoding))
    assert found == text
    assert bool(remarks) == (encoding != "utf-8")
    if remarks:
        assert "% sure" in remarks[0].text and "--encoding" in remarks[0].text


@pytest.mark.parametrize("ascii", [0, 70_000, 200_001])
def test_a_text_that_begins_in_ascii(ascii: int) -> None:
    text = "x\n" * (ascii // 2) + TEXTS["German"]
    assert read(text.encode("latin_1"))[0] == text
    text = "x\n" * (ascii // 2) + TEXTS["Japanese"]
    assert read(text.encode("utf-8")) == (text, [])


def test_a_named_encoding_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(TEXTS["Russian"].encode("koi8_u"))
    choice = Choice.of(Settings(encoding="KOI8-U"))
    (segment,), gaps = everything(open_sources([str(tmp_path / "file")], choice=choice))
    assert (segment.text, gaps) == (TEXTS["Russian"], [])
    marked = "\ufeff" + TEXTS["German"]  # what says its own encoding is believed
    assert read(marked.encode("utf-16"), "cp1251")[0].lstrip("\ufeff") == TEXTS["German"]


@pytest.mark.parametrize("name", ["klingon", "rot13", "hex", ""])
def test_what_is_no_encoding_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="encoding"):
        Settings(encoding=name)


def test_a_few_damaged_bytes_do_not_change_the_encoding() -> None:
    data = TEXTS["Japanese"].encode() * 3 + b"\xff" + TEXTS["Russian"].encode()
    assert read(data)[0] == data.decode("utf-8", "replace")


@pytest.mark.parametrize("size", [400, 1000, 60_000])
def test_what_is_no_text_has_no_encoding(size: int) -> None:
    for _ in range(10):
        assert encoding_of(os.urandom(size), whole=True) is None


@given(data=st.binary(max_size=300), whole=st.booleans())
def test_any_bytes_have_an_encoding_or_none(data: bytes, whole: bool) -> None:
    found = encoding_of(data, whole=whole)
    assert found is None or (0 <= found.sure <= 1 and data.decode(found.name, "replace") is not None)
