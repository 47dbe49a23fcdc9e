from hypothesis import given
from hypothesis import strategies as st

from mmxcli.recall import shapes
from mmxcli.recall.shapes import HORIZON, Ranks, Recent, WordCounts, kind, line_words, severe, shape


def test_lines_that_differ_in_values_alone_are_of_one_kind() -> None:
    lines = [
        "2026-03-01T00:00:23Z web-1 GET /cart/17 200 12ms id=9f86d081884c",
        "2027-11-30T23:59:59Z web-12 GET /cart/99999 404 3.5s id=0a",
    ]
    assert len({kind(line) for line in lines}) == 1
    assert kind(lines[0]) != kind(lines[0].replace("cart", "shop"))
    assert kind(lines[0], ["17"]) != kind(lines[1])  # a number that the question asks for


@given(st.text())
def test_every_line_has_a_shape_without_figures_that_is_its_own_shape(text: str) -> None:
    found = shape(text)
    assert not any(character.isascii() and character.isdigit() for character in found)
    assert shape(found) == found or "#" in found


def test_words_of_a_line() -> None:
    assert line_words("DraftStore: the draft_box of 10.0.0.1 FAILED") == ["draft", "store", "box", "failed"]
    assert severe("disk FAILED") and not severe("all is failsafe")


def test_counted_words_are_bounded_and_common_ones_stay(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(shapes, "WORDS", 100)
    counts = WordCounts()
    for number in range(5000):
        counts.add(["common", f"w{number}"])
        assert len(counts.counts) <= 101
    assert counts.weight("common") < 0.3 < counts.weight("w77") == 1
    assert counts.novelty(["common", "unheard"]) < counts.novelty(["unheard"]) == 1


def test_recent_forgets_what_was_used_least_lately() -> None:
    recent: Recent[int] = Recent(2)
    recent["a"], recent["b"] = 1, 2
    assert recent.known("a") == 1
    recent["c"] = 3
    assert list(recent) == ["a", "c"] and recent.known("b") is None


@given(st.lists(st.floats(0, 1), max_size=300), st.floats(0, 1))
def test_ranks_count_what_is_clearly_higher(values: list[float], value: float) -> None:
    ranks = Ranks()
    for one in values:
        ranks.add(one)
    assert ranks.total == len(values)
    assert sum(one > value + 0.005 for one in values) <= ranks.above(value) <= sum(one > value for one in values)


def test_what_is_rare_stays_rare_however_long_the_stream_goes_on() -> None:
    counts, weights = WordCounts(), []
    for number in range(5 * HORIZON):
        counts.add(["reading", *(["killed"] if number % (HORIZON // 2) == 0 else [])])
        if number % HORIZON == HORIZON - 1:
            weights.append((counts.weight("killed"), counts.weight("reading")))
    assert max(rare for rare, _ in weights) - min(rare for rare, _ in weights) < 0.01
    assert all(common < rare / 4 for rare, common in weights)
