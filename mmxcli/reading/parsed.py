"""What files of code say about themselves, each parsed once for as long as it stays the same."""

import json
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from mmxcli import __version__
from mmxcli.recall.gist import Statement
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.modules import LONGEST, Module, Use, module_of
from mmxcli.state.memo import Memo


class Parsed(Memo):
    """The modules of an index's files, in this process or an earlier one; a context manager."""

    def __init__(self, home: Path) -> None:
        parsers = f"python {sys.version_info[:2]}, pygments {version('pygments')}, mmx {__version__} {LONGEST}"
        super().__init__(home, f"modules by {parsers}")

    def module(self, index: RecallIndex, source: str) -> Module:
        file = f"{source}\0{index.text(source, 0, LONGEST)}"
        if kept := self.get(file):
            return _of(json.loads(kept))
        module = module_of(index, source)
        self.put(file, json.dumps(asdict(module)))
        return module


def _of(kept: dict) -> Module:  # type: ignore[type-arg]
    purpose = Statement(**kept["purpose"] | {"also": ()}) if kept["purpose"] else None  # it stands in one place
    uses = tuple(Use(**use) for use in kept["uses"])
    return Module(kept["source"], purpose, tuple(kept["definitions"]), uses, kept["runs"])
