from collections.abc import Callable
from pathlib import Path

import pytest
from everything import Read, everything

from mmxcli.sources.document import Document
from mmxcli.sources.open import open_sources
from mmxcli.sources.segment import Gap, Segment


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    """Writes bytes to a file and opens it."""

    def opened(data: bytes, name: str = "file") -> Document:
        path = tmp_path / name
        path.write_bytes(data)
        [found] = open_sources([str(path)])
        assert isinstance(found, Document), found
        return found

    return opened


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes bytes to a file and reads it: the segments and the gaps."""

    def segments_and_gaps(data: bytes, name: str = "file") -> tuple[list[Segment], list[Gap]]:
        path = tmp_path / name
        path.write_bytes(data)
        return everything(open_sources([str(path)]))

    return segments_and_gaps
