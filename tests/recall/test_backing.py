"""What is claimed must stand in the passages."""

from pathlib import Path

import pytest

from mmxcli.recall.backing import backed
from mmxcli.recall.index import RecallIndex
from mmxcli.recall.passages import Passage
from mmxcli.recall.writer import IndexWriter
from mmxcli.sources.segment import Segment

TEXT = "Captain Peleg hired Ishmael for the three hundredth lay. He sailed on Christmas day of 1841 from Nantucket."
QUESTION = "For which lay did Captain Peleg hire Ishmael?"


@pytest.fixture
def index(tmp_path: Path) -> RecallIndex:
    with IndexWriter(tmp_path / "index") as writer:
        writer.add(Segment("a", TEXT, 0, 1))
        writer.finish()
    return RecallIndex(tmp_path / "index")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("the three hundredth", True),
        ("The three hundredth lay.", True),
        ("He sails in 1841", True),
        ("in 1851", False),
        ("the seven hundredth lay", False),
        ("Bildad", False),
        ("", False),
        ("of the", False),
        ("Captain Peleg did hire Ishmael for a lay", False),
        ("Peleg", False),
        ("yes", False),
    ],
)
def test_backed(index: RecallIndex, answer: str, expected: bool) -> None:
    passage = Passage(1, "a", 0, len(TEXT), 1, None, TEXT)
    assert backed(index, QUESTION, answer, [passage]) is expected
    assert backed(index, QUESTION, answer, []) is False
