"""What is passed over because of what it is, and not because it cannot be read: counted, with its first names."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from mmxcli.sources.segment import Remark

HIDDEN, IGNORED, EMPTY = "hidden", "git-ignored", "empty"
_NAMED = 3


@dataclass
class PassedOver:
    """Folders are counted as one: nobody looks into them."""

    _found: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        count, names = self._found.get(reason, (0, []))
        self._found[reason] = count + 1, names if count >= _NAMED else [*names, name]

    def remarks(self, source: str) -> Iterator[Remark]:
        """One line for each reason, about what is in `source`."""
        for reason, (count, names) in self._found.items():
            ending = "" if count == 1 else "s"
            what = f"{reason} file{ending}" if reason == EMPTY else f"{reason} file{ending} or folder{ending}"
            yield Remark(source, f"{count:,} {what} not read: {', '.join(names)}{', …' if count > _NAMED else ''}")
