"""Which encoding a text is in: as it says itself, or as far as it can be found out."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

_MARKS = (  # the longer first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_WIDE = ("UTF-32-LE", "UTF-32-BE", "UTF-16-LE", "UTF-16-BE")
_ESCAPES = (b"\x1b$B", b"\x1b$@", b"\x1b$(D")  # that begin Japanese in ISO-2022-JP
MOST_ZEROS = 20  # one byte in so many, in a text that is not of wide characters
# What is meant by these names: few programs keep to the smaller sets of characters.
WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-1": "cp1252"}
_MEANT = WIDER | {  # by pages, as browsers take it
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "utf-16": "utf-8",  # else nobody could read that it says so
    "utf-16-be": "utf-8",
    "utf-16-le": "utf-8",
}
_PAGES = re.compile(
    r"utf-8|cp(?:125[0-8]|866|874|932|949)|iso8859-(?:[2-8]|1[03-6])|koi8-[ru]|mac-(?:roman|cyrillic)"
    r"|gb18030|big5hkscs|euc_jp|iso2022_jp"
)
_ENOUGH = 3  # characters in UTF-8 that are no chance
_UNLIKELY = 0.1  # how sure a guess is that a few bytes gave
_TAG = re.compile(rb"</?[a-z][^<>]*>", re.I)
_UNUSUAL = re.compile("[\x00-\x07\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f\ufffd\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """`sure`: from 0 to 1; 1 where the text says it, or can be nothing else. `marked`: by its first bytes."""

    name: str
    sure: float = 1.0
    marked: bool = False


def encoding_of(data: bytes, *, whole: bool) -> Encoding | None:
    """Of a text that begins with `data`, or is no longer; None where these are no text at all."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Encoding(name, marked=True)
    if b"\0" in data:
        # Wide characters seldom have halves in ASCII alone.
        first, second = (_with_zeros, _wide) if data.isascii() else (_wide, _with_zeros)
        return first(data, whole) or second(data, whole)
    if data.isascii() and any(escape in data for escape in _ESCAPES):
        return Encoding("iso2022_jp", 0.95)
    good, bad = _utf8(data, whole)
    if not bad or good > 10 * bad:  # a few bytes are damaged
        return Encoding("UTF-8") if good or not _strange(data.decode("utf-8", "replace")) else None
    found = _guessed(data)
    if found is None and bad * 10 <= len(data) * 3:  # some other text, or damaged
        return Encoding("UTF-8", 0.1)
    return found


def web_encoding(label: str) -> str | None:
    """The encoding that a page means by this name; None where no page may be in it."""
    name = label.lower().removeprefix("x-").removesuffix("-i").replace("windows-31j", "cp932").replace("windows-", "cp")
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    found = _MEANT.get(found, found)
    return found if _PAGES.fullmatch(found) else None


def encoding_of_page(data: bytes, declared: str | None, *, whole: bool) -> Encoding:
    """Of one that begins with `data`, or is no longer: what it has declared, where it can be that, or nothing better is
    found. What declares nothing is Western where too little is there to tell."""
    found = encoding_of(data, whole=whole)
    if found and (found.marked or (data.isascii() and found.name != declared)):
        return found
    if declared and _fits(data, declared, whole):
        return Encoding(declared)
    if found and found.sure > _UNLIKELY:
        return found
    return Encoding(declared) if declared else Encoding("cp1252", _UNLIKELY)


def _fits(data: bytes, name: str, whole: bool) -> bool:
    """Whether few bytes do not decode, and it is not UTF-8 by more than chance."""
    text = codecs.getincrementaldecoder(name)("replace").decode(data, final=whole)
    good, bad = _utf8(data, whole)
    if name != "utf-8" and good >= _ENOUGH and not bad:
        return False
    return text.count("\ufffd") * 10 <= len(text) - len(text.encode("ascii", "ignore"))


def _utf8(data: bytes, whole: bool) -> tuple[int, int]:
    """How many characters beyond ASCII there are in UTF-8, and how many bytes that are none of them."""
    if data.isascii():
        return 0, 0
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(data, final=whole)
    bad = len(re.findall("[\udc80-\udcff]", text))
    return len(text) - len(text.encode("ascii", "ignore")) - bad, bad


def _wide(data: bytes, whole: bool) -> Encoding | None:
    """Bytes with zeros among them are text where the zeros are the halves of its characters: of the ways to read them
    the one that gives most spaces, line ends and ASCII."""
    found: dict[str, int] = {}
    for name in _WIDE:
        try:
            text = codecs.getincrementaldecoder(name)("strict").decode(data, final=whole)
        except UnicodeDecodeError:
            continue
        if any(unicodedata.category(character) in ("Cn", "Co", "Cs") for character in set(text)):
            continue
        likely = sum(character.isalnum() or character in " \n" for character in text)
        if "\0" not in text and not _strange(text) and likely * 2 > len(text):
            found[name] = sum(character < "\x7f" for character in text)
    return Encoding(max(found, key=lambda name: found[name]), 0.9) if found else None


def _with_zeros(data: bytes, whole: bool) -> Encoding | None:
    """A few zeros in what else is ASCII or UTF-8 were left by a crash, a full disk or a program in C."""
    rest = data.replace(b"\0", b"")
    good, bad = _utf8(rest, whole)
    strange = len(_UNUSUAL.findall(rest.decode("utf-8", "replace")))
    clean = good >= 10 * bad and strange * MOST_ZEROS <= len(rest)
    return Encoding("UTF-8") if clean and data.count(0) * MOST_ZEROS <= len(data) else None


def _guessed(data: bytes) -> Encoding | None:
    import chardet

    found = chardet.detect(_TAG.sub(b"", data))  # tags are in no language
    if found["encoding"] is None:
        return None
    name = codecs.lookup(found["encoding"]).name
    strange = _strange(data.decode(name, "replace"))
    return None if strange else Encoding(name, min(0.99, round(found["confidence"] or 0.0, 2)))


def _strange(text: str) -> bool:
    """Whether a third of it is no character that texts have."""
    return len(_UNUSUAL.findall(text)) * 10 > len(text) * 3
