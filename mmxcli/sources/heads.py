"""Running heads: lines at the top and the foot of pages that say the same on each, or count them."""

import re
from collections import deque
from collections.abc import Iterable, Iterator

NEAR = 4  # pages to either side with which a page is compared
ALIKE = 2  # of those must have such a line too
MOST = 2  # lines at each end of a page that may be running heads
_NUMBERED = re.compile(r"\s*(?P<first>\d{1,6})(?=\s|$)|(?:^|.*\s)(?P<last>\d{1,6})\s*$")
_ROMAN = re.compile(r"\s*[ivxlc]{1,8}\s*$", re.I)

Page = tuple[int, str]


def without_heads(pages: Iterable[Page]) -> Iterator[Page]:
    """The pages, by number and text, without their running heads. Holds no more than a few at a time."""
    near: deque[Page] = deque()
    at = 0  # of the next page to give, among those that are near
    for page in pages:
        near.append(page)
        if len(near) - at > NEAR:
            yield _without(near, at)
            at += 1
            if at > NEAR:
                near.popleft()
                at -= 1
    while at < len(near):
        yield _without(near, at)
        at += 1


def _without(near: "deque[Page]", at: int) -> Page:
    page, text = near[at]
    lines = text.removesuffix("\n").split("\n")
    for end in (0, -1):
        others = [(number - page, their.removesuffix("\n").split("\n")) for number, their in near if number != page]
        for _ in range(MOST):
            alike = [their for apart, their in others if len(their) > 1 and _alike(lines[end], their[end], apart)]
            if len(alike) < ALIKE or len(lines) == 1:
                break
            del lines[end]
            for their in alike:
                del their[end]
    return page, "\n".join(lines) + "\n"


def _alike(line: str, other: str, apart: int) -> bool:
    """Whether one is the other, or both are numbers of pages that lie so far apart, with or without more words."""
    if line.strip() == other.strip():
        return bool(line.strip())
    if _ROMAN.match(line) and _ROMAN.match(other):
        return True
    one, two = _NUMBERED.match(line), _NUMBERED.match(other)
    # Left pages have the number first and right pages last.
    return bool(one and two and int(two["first"] or two["last"]) - int(one["first"] or one["last"]) == apart)
