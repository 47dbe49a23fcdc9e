"""Words whose embeddings point the same way are near, whatever all embeddings share."""

from typing import cast

import numpy as np
import pytest

from mmxcli.models.embedding import Embedding
from mmxcli.models.near_words import MOST, NearWords


class Table:
    """Rows of numbers in an embedding's place."""

    def __init__(self, rows: list[list[float]]) -> None:
        self._rows = np.array(rows, np.float32)

    def rows(self, ids: list[int]) -> np.ndarray:
        return self._rows[list(ids)]


@pytest.mark.parametrize("shared", [0.0, 50.0])
def test_the_nearest_come_first_and_those_far_away_not_at_all(shared: float) -> None:
    rows = [[0.0, 0.0], [9.0, 1.0], [9.0, 2.0], [8.0, 9.0], [-9.0, 1.0], [-17.0, -13.0]]
    words = {"ship": 1, "boat": 2, "sail": 3, "king": 4, "queen": 5}
    near = NearWords(words, cast(Embedding, Table([[x + shared, y + shared] for x, y in rows])))
    found = near(["Ship", "Zanzibar"])
    assert list(found) == ["Ship"]
    assert list(found["Ship"]) == ["boat", "sail"]
    assert 1 >= found["Ship"]["boat"] > found["Ship"]["sail"] > 0
    assert near(["Zanzibar"]) == {}


def test_no_word_has_more_than_so_many_near() -> None:
    words = {f"word{'abcdefghij'[i // 10]}{'abcdefghij'[i % 10]}": i for i in range(50)}
    rows = [[5.0 + i / 100, 1.0] if i < 40 else [-20.0, 0.0] for i in range(50)]
    assert len(NearWords(words, cast(Embedding, Table(rows)))(["wordaa"])["wordaa"]) == MOST
