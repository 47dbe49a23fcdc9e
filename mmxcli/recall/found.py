"""What a text itself answers, without a model: words, each of which stands at one of some places."""

from typing import NamedTuple

Span = tuple[str, int, int]  # source, and half-open code point offsets


class Found(NamedTuple):
    """`text` names its spans by their numbers, [1] the first, where it is `numbered`."""

    text: str
    spans: tuple[Span, ...]
    numbered: bool = True


def cut(text: str, start: int, most: int) -> tuple[str, int]:
    """Text that begins at `start`, in one line, after a word cut to `most` code points; and where it ends."""
    if len(text) > most:
        text = text[: text.rfind(" ", most // 2, most)] if " " in text[most // 2 : most] else text[:most]
    return " ".join(text.split()), start + len(text)
