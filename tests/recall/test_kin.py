"""Words that stand for those of a question find what the question's own do not, and count less."""

from collections.abc import Iterator, Mapping, Sequence

import pytest
from indexes import opened

from mmxcli.recall.index import RecallIndex
from mmxcli.recall.kin import FEW, Kin, kindred, share
from mmxcli.recall.quotes import best_quotes
from mmxcli.recall.select import select

FILLING = "The gulls sat on the quay and looked at the water and the clouds above it all day long. " * 200
QUESTION = "Which vessel rescued the castaway?"


def near(words: Sequence[str]) -> Mapping[str, Mapping[str, float]]:
    known = {"vessel": {"ship": 0.5, "boat": 0.3, "gulls": 0.9}, "rescued": {"saved": 0.6, "rescue": 0.9}}
    return {word: known[word] for word in words if word in known}


@pytest.fixture(scope="module")
def index() -> Iterator[RecallIndex]:
    with opened({"a": [FILLING, "A ship named Rachel saved him in the end. ", FILLING]}) as index:
        yield index


def test_only_rare_words_of_the_text_stand_for_others(index: RecallIndex) -> None:
    stem = index.stems(["vessel", "rescued", "ship", "saved"])
    assert kindred(index, QUESTION, near) == {
        stem["vessel"]: {stem["ship"]: Kin("ship", 0.5)},  # no boat is there, and gulls are everywhere
        stem["rescued"]: {stem["saved"]: Kin("saved", 0.6)},
        index.stems(["castaway"])["castaway"]: {},
    }
    assert index.holding(index.stems(["gulls"])["gulls"]) > FEW


def test_they_find_what_shares_no_word_with_the_question(index: RecallIndex) -> None:
    assert not index.search(QUESTION, 3)
    kin = kindred(index, QUESTION, near)
    passages = [hit.passage for hit in select(index, QUESTION, 3, kin)]
    assert "Rachel" in passages[0].text
    [quote] = best_quotes(index, QUESTION, None, passages, 1, kin)
    assert quote.text == "A ship named Rachel saved him in the end."


def test_without_them_it_is_the_plain_search(index: RecallIndex) -> None:
    question = "Where did the ship named Rachel go?"
    plain, replaced = index.search(question, 5), index.search(question, 5, {"go": {}})
    assert [hit.passage.id for hit in plain] == [hit.passage.id for hit in replaced]
    assert [hit.score for hit in plain] == pytest.approx([hit.score for hit in replaced])


def test_a_word_counts_once_and_its_own_self_most() -> None:
    weights = {"vessel": 3.0, "saved": 1.0}
    kin = {"vessel": {"ship": Kin("ship", 0.5), "boat": Kin("boat", 0.25)}}
    assert share({"ship", "boat"}, weights, kin) == pytest.approx(1.5 / 4)
    assert share({"vessel", "ship"}, weights, kin) == pytest.approx(3 / 4)
    assert share({"ship"}, weights) == 0
    assert share(set(), {}) == 0


@pytest.mark.parametrize(
    ("question", "text", "asked", "told"),
    [
        ("Welche Ausgabe braucht die Zustimmung?", "Größere Ausgaben müssen alle billigen.", "ausgabe", "ausgaben"),
        ("Кто построил маяк?", "Свет маяка виден за семнадцать миль.", "маяк", "маяка"),
    ],
)
def test_in_other_languages_a_word_with_another_ending_stands_for_it(
    question: str, text: str, asked: str, told: str
) -> None:
    with opened({"a": [FILLING, text, FILLING]}) as index:
        stems, kin = index.stems([asked, told]), kindred(index, question, near)
        assert stems[told] in kin[stems[asked]]
        assert text in index.search(question, 1, kin)[0].passage.text


def test_in_english_the_index_knows_the_endings_and_short_words_stand_for_themselves() -> None:
    with opened({"a": ["The porters of the port carry a portmanteau. Der Mut der Mutter."]}) as index:
        assert not any(kindred(index, "Which port was it?", near).values())
        assert not kindred(index, "Wie groß ist der Mut?", near)["mut"]


def test_the_terms_of_a_beginning() -> None:
    with opened({"a": ["Der Verein, des Vereins, die Vereine, ein Versuch. Ёлкин"]}) as index:
        found = index.terms_from("verein")
        assert set(index.stems(["Verein", "Vereine"]).values()) <= set(found)
        assert all(term.startswith("verein") for term in found)
        assert index.terms_from("zzz") == []
