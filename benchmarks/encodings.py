"""How often the encoding of a short text is found out, by mmx and by charset-normalizer.

    python benchmarks/encodings.py

The texts of tests/sources/test_encoding.py, cut to 8, 20, 40, 60 and all of their characters. Right is what decodes to
the same text.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent / "tests"), str(Path(__file__).parent.parent / "tests" / "sources")]

from charset_normalizer import from_bytes  # noqa: E402
from test_encoding import CASES, TEXTS  # noqa: E402

from mmxcli.sources.encoding import encoding_of  # noqa: E402

LENGTHS = (8, 20, 40, 60, 1000)


def main() -> None:
    others: dict[str, Callable[[bytes], str | None]] = {
        "mmx": lambda data: found.name if (found := encoding_of(data, whole=True)) else None,
        "charset-normalizer": lambda data: best.encoding if (best := from_bytes(data).best()) else None,
    }
    for name, guess in others.items():
        right = 0
        for language, encoding in CASES:
            for length in LENGTHS:
                data = TEXTS[language][:length].encode(encoding)
                with suppress(LookupError, UnicodeDecodeError):
                    right += data.decode(guess(data) or "ascii") == data.decode(encoding)
        print(f"{name:<20} right {right} times of {len(CASES) * len(LENGTHS)}")


if __name__ == "__main__":
    main()
