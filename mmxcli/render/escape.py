"""Text that others wrote, made safe for a terminal: it can be read there, and do nothing else."""

import re
import unicodedata

# Format characters that only join or part the letters around them; emoji families and several scripts need
# them. The others are made visible: above all those that turn the direction of a text and so its sense.
_JOINERS = "\u00ad\u200c\u200d"
_NEW_LINE = re.compile("\r\n?")


def visible(text: str) -> str:
    """`text` of any length with nothing in it that a terminal obeys, besides new lines and tabs."""
    text = _NEW_LINE.sub("\n", text)
    return text if text.isprintable() else "".join(map(_shown, text))


def one_line(text: str) -> str:
    """`text` for the middle of a line, such as a file's name: a new line or a tab is shown, not obeyed."""
    return visible(text.replace("\r", r"\r").replace("\n", r"\n").replace("\t", r"\t"))


def json_text(text: str) -> str:
    """JSON in which what a terminal obeys is written as an escape of JSON, so that it stays the same JSON."""
    return "".join(character if _shown(character) == character else _code_units(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t" or character.isprintable() or character in _JOINERS:
        return character
    if unicodedata.category(character) == "Zs":  # spaces of all widths
        return character
    return ascii(character)[1:-1]  # such as \x1b or \u202e


def _code_units(character: str) -> str:
    """JSON's escape: one or two code units of UTF-16. A lone surrogate stands for a byte of a file's name."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
