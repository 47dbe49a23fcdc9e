"""What kind of thing is asked for, and whether it is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.recall.kinds import has_kind, kind_asked

# Questions, a sentence that tells, one about the same thing that does not.
TOLD = [
    ("How old is Priya?", "an age", "Priya, a woman of thirty, went home.", "Priya orders 60 sheets."),
    ("How old was the bridge?", "an age", "The bridge was built in 1820.", "The bridge has 12 arches."),
    ("Wie alt ist Anna?", "an age", "Anna ist 14 Jahre alt.", "Anna zahlt 18 Euro."),
    ("Quel âge a Zoé ?", "an age", "Zoé a neuf ans.", "Zoé aime la soupe."),
    ("What colour is the door?", "a colour", "The door is painted green.", "The key of the door costs £180."),
    ("Какого цвета дверь?", "a colour", "Дверь красная.", "Дверь закрыта."),
    ("门是什么颜色？", "a colour", "门是红色的。", "门在左边。"),
    ("How many seats are there?", "a number", "There are two hundred seats.", "The seats are of oak."),
    ("How many seats are there?", "a number", "There are none.", "4.2 The seats are of oak."),
    ("How much does it cost?", "a sum", "It is £3.", "It is dear."),
    ("How much is paid for the seal?", "a sum", "Seal: 400.", "Change the seal after 4,000 hours, part 220-017."),
    ("How much did the crossing cost?", "a sum", "Two shillings each.", "Two people crossed, on 3 May 1880 as well."),
    ("How much does the seal weigh?", "a number", "It weighs 4,000 kilograms.", "It is heavy."),
    ("Wie viele Mitglieder hat der Verein?", "a number", "Er hat dreißig Mitglieder.", "(3) Die Mitglieder zahlen."),
    ("Combien de pommes ?", "a number", "Prenez trois pommes.", "Prenez des pommes."),
    ("¿Cuántas sillas hay?", "a number", "Hay doce sillas.", "Hay sillas."),
    ("Сколько стоит билет?", "a sum", "Билет стоит двести рублей.", "Билет нужен всем."),
    ("How long may I stay?", "a length", "Until the lease ends.", "You may stay in the flat."),
    ("When was he born?", "a time", "He came into the world one winter morning.", "He is a sailor."),
    ("In which year was it printed?", "a time", "It was printed in 1823.", "It was printed by Black."),
    ("Когда открыт музей?", "a time", "По субботам.", "Музей открыт всем."),
]


@pytest.mark.parametrize(("question", "kind", "tells", "does_not"), TOLD)
def test_kinds(question: str, kind: str, tells: str, does_not: str) -> None:
    asked = kind_asked(question)
    assert asked
    assert asked.name == kind
    assert has_kind(asked, question, [tells])
    assert has_kind(asked, question, [does_not, tells])
    assert not has_kind(asked, question, [does_not])


@pytest.mark.parametrize("question", ["Who won?", "Why?", "When it rains, who comes?", "ring_peek", "", "Where is it?"])
def test_other_questions_ask_for_none_of_these(question: str) -> None:
    assert kind_asked(question) is None


@given(st.sampled_from([question for question, *_ in TOLD]), st.lists(st.text(max_size=40), max_size=3))
def test_a_question_does_not_tell_itself_and_more_text_does_not_take_away(question: str, texts: list[str]) -> None:
    kind = kind_asked(question)
    assert kind
    assert not has_kind(kind, question, [question])
    assert not has_kind(kind, question, texts) or has_kind(kind, question, [*texts, question])
