"""How often a stream is asked about."""

import re
from dataclasses import dataclass

from mmxcli.config import DURATION, TOKENS
from mmxcli.errors import UsageError

ALLOWED = "a number of tokens (2000, 20k), of lines (500lines) or a time (30s, 10m, 1h)"


@dataclass(frozen=True, slots=True)
class Every:
    """`unit`: tokens, lines or seconds."""

    amount: float
    unit: str


def parse_every(text: str) -> Every:
    """Raises UsageError for what says no interval."""
    text = text.strip().lower()
    try:
        if found := re.fullmatch(r"(\d{1,9})\s*lines?", text, re.ASCII):
            amount, unit = float(found[1]), "lines"
        elif text.endswith(("s", "m", "h")) and not text.endswith("tokens"):
            amount, unit = float(str(DURATION.parse(text))), "seconds"
        else:
            amount, unit = float(str(TOKENS.parse(text.removesuffix("tokens").strip()))), "tokens"
        if not amount:
            raise ValueError
    except ValueError as error:
        raise UsageError(f"every cannot be {text!r} (--every): it must be {ALLOWED}") from error
    return Every(amount, unit)
