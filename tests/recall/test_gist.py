"""An extract says what its text says, where it says it, in no more words than were asked for."""

from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened

from mmxcli.recall.backing import names_in
from mmxcli.recall.gist import Statement, Told, gist, length, stands_alone, statements
from mmxcli.recall.index import RecallIndex

HARBOUR = (
    "The harbour of Husvik was built in 1823. "
    "Ingrid Solheim drew the plans of the harbour, and she paid for the pier.\n\n"
    "“Will it stand?” asked the mayor. It was cold.\n\n"
    "A storm broke the pier of the harbour in 1871. Mats Olsen built the pier again with stone from Husvik.\n\n"
    "[Illustration: the pier]\n\n"
)
WORDS = "harbour pier storm Husvik the of and stone 1823 built light ship “Ho!” it Mats"
words = st.sampled_from(WORDS.split())
sentence = st.lists(words, min_size=1, max_size=70).map(lambda some: " ".join(some).capitalize() + ".")
prose = st.lists(st.lists(sentence, max_size=6).map(" ".join), max_size=8).map("\n\n".join)


def extract(index: RecallIndex, text: str, limit: int) -> list[Statement]:
    return gist(index, list(statements(index, "a.txt", 0, len(text))), Told(index, text).weights(index), limit)


@settings(deadline=None)
@given(prose, st.integers(10, 120))
def test_each_statement_is_a_sentence_of_the_text_in_its_place_and_order(text: str, limit: int) -> None:
    with opened({"a.txt": [text]}) as index:
        found = extract(index, text, limit)
    assert all(" ".join(text[one.start : one.end].split()) == one.text for one in found)
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert len(found) < 2 or sum(length(one.text) for one in found) <= limit
    assert len({one.text for one in found}) == len(found)


def test_what_comes_again_is_told_once_and_pictures_are_not() -> None:
    text = HARBOUR * 3
    with opened({"a.txt": [text]}) as index:
        offered = [one.text for one in statements(index, "a.txt", 0, len(text))]
        found = [one.text for one in extract(index, text, 40)]
    assert not any("Illustration" in one for one in offered)
    assert found == list(dict.fromkeys(found))
    assert "Mats Olsen built the pier again with stone from Husvik." in found
    assert "It was cold." not in found


def test_code_in_markdown_is_no_sentence_and_links_are_their_words() -> None:
    prose = "See [the manual](docs/manual.md) for all the flags.\n\n"
    text = f"{prose}```sh\nrm all the files of the harbour.\n```\n\n    mmx a b c d e.\n"
    with opened({"a.md": [text]}) as index:
        assert [one.text for one in statements(index, "a.md", 0, len(text))] == ["See the manual for all the flags."]


def test_scripts_without_spaces_have_a_length() -> None:
    text = "港口建于一八二三年。石头来自山上的采石场。"
    with opened({"a.txt": [text * 3]}) as index:
        assert extract(index, text * 3, 12)
    assert length(text) == 10


def test_of_many_texts_counts_what_they_share() -> None:
    chapters = [f"Captain Ahab walked the deck on day {n}, and the sea was number{n}number." for n in range(5)]
    with opened({"a.txt": ["\n\n".join(chapters)]}) as index:
        told = Told(index)
        for chapter in chapters:
            told += Told(index, chapter)
        weights = told.weights(index)
    assert (
        told.many and "ahab" in weights and ("captain", "ahab") in weights and not any("number" in w for w in weights)
    )


def test_each_stretch_has_a_sentence_and_what_is_favoured_counts_more() -> None:
    lines = [f"The harbour of Husvik was built with the stone of the pier number{n}." for n in range(4)]
    lines += [f"Nobody sees what the old grey heron does on day{n}." for n in range(4)]
    with opened({"a.txt": ["\n\n".join(lines)]}) as index:
        text = "\n\n".join(lines)
        offered = list(statements(index, "a.txt", 0, len(text)))
        weights = Told(index, text).weights(index)
        spread = [lines.index(one.text) // 4 for one in gist(index, offered, weights, 24, stretches=2)]
        favoured = gist(index, offered, weights, 12, favour=lambda one: float("day2" in one.text))
    assert spread == [0, 1]
    assert [one.text for one in favoured] == [lines[6]]
    assert stands_alone(offered[0]) and not stands_alone(Statement("It was built with the stone.", "a.txt", 0, 1))


def test_a_line_about_a_file_names_nothing_that_the_file_has_not() -> None:
    code = "class HelpFormatter:\n    def write_usage(self): ...  # writes the usage of a command"
    with opened({"a.py": [code]}) as index:
        assert names_in(index, "Writes the usage of a command with HelpFormatter.", code, 0.5)
        assert not names_in(index, "Writes the usage of a command with ArgumentParser.", code, 0.5)
        assert not names_in(index, "Handles 42 usage commands.", code, 0.5)
        assert not names_in(index, "Sells fresh fish to passing sailors.", code, 0.5)
