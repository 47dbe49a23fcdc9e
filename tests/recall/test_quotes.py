from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from indexes import opened, segments

from mmxcli.recall.passages import cut
from mmxcli.recall.quotes import (
    LONGEST,
    Quote,
    best_quotes,
    find_words,
    lines_around,
    shared_words,
    verify,
    with_another,
)
from mmxcli.recall.select import select
from mmxcli.recall.sentences import sentences

STORY = (
    "Mr. Bulkington came aboard at noon. The innkeeper of the Spouter Inn, Mrs. Hussey said, was called Peter\n"
    "Coffin. Nobody laughed. “Coffin?” said I; “an ill name for an inn!” The whale weighed ninety tons.\n\n"
    "Dr. Snodhead, of the college of Santa Claus, earned £70 a year in 1851. He never went to sea.\n"
)


def split(text: str, code: bool = False) -> list[str]:
    return [text[start:end] for start, end in sentences(text, code)]


def test_sentences_end_where_a_reader_would_end_them():
    assert split(STORY) == [
        "Mr. Bulkington came aboard at noon.",
        "The innkeeper of the Spouter Inn, Mrs. Hussey said, was called Peter\nCoffin.",
        "Nobody laughed.",
        "“Coffin?” said I; “an ill name for an inn!”",
        "The whale weighed ninety tons.",
        "Dr. Snodhead, of the college of Santa Claus, earned £70 a year in 1851.",
        "He never went to sea.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "See vol. 3, pp. 4, by J. S. Bach and Mrs. Lane-Clarke of St. Peter.",
        "It costs 3.50 or 4.75, e.g. in no. 7.",
        "“Stop!” cried he. . . and he did",
        "He wrote to Messrs. Smith and Co. of Cheapside",
    ],
)
def test_a_full_stop_is_not_always_the_end(text):
    assert split(text) == [text]


@pytest.mark.parametrize(
    "sentence",
    [
        "Das Geschäftsjahr beginnt am 1. Juli und endet am 30. Juni.",
        "Im 19. Jahrhundert galt z. B. Folgendes, d. h. bis zum 2. Weltkrieg.",
        "Der Beitrag von ca. 3 Mio. Euro wurde lt. Abs. 2 gezahlt.",
        "La señora Sra. Gómez vino.",
    ],
)
def test_a_number_or_an_abbreviation_of_another_language_ends_no_sentence(sentence):
    text = f"{sentence} Er wurde 12. Dann kam sie."
    assert split(text)[0] == sentence and split(text)[-1] == "Dann kam sie."


def test_other_ends_of_sentences():
    assert split("He left.--She stayed.") == ["He left.", "--She stayed."]
    assert split('"Go."  "No."') == ['"Go."', '"No."']
    assert split("猫が座った。犬は外にいる。") == ["猫が座った。", "犬は外にいる。"]
    assert split("Heading\n\nText here\n- one item\n- another") == ["Heading", "Text here", "- one item", "- another"]
    assert split("x = 1. Y\n\n  y = 2\n", code=True) == ["x = 1. Y", "y = 2"]


@given(st.text(), st.booleans())
def test_sentences_hold_everything_but_white_space(text, code):
    spans = list(sentences(text, code))
    assert spans == sorted(spans)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


def quotes_of(index, question, answer=None, limit=2):
    passages = [hit.passage for hit in select(index, question, 8)]
    return best_quotes(index, question, answer, passages, limit)


def test_the_sentence_that_holds_the_evidence_is_quoted():
    with opened({"story.txt": [STORY]}) as index:
        quote = quotes_of(index, "How is the innkeeper of the Spouter Inn called?")[0]
        assert quote.text.endswith("was called Peter\nCoffin.")
        assert (quote.line, quote.page) == (1, None)
        quote = quotes_of(index, "What did he earn?", "seventy pounds, i.e. £70")[0]
        assert quote.text.startswith("Dr. Snodhead")
        assert quote.line == 4


def test_a_long_sentence_is_trimmed_around_the_answer():
    clauses = [f"the {n}th cask held {n * 7} gallons of oil from the coast" for n in range(40)]
    with opened({"a.txt": [", ".join(clauses) + "."]}) as index:
        quote = quotes_of(index, "How many gallons of oil did each cask hold?", "231 gallons")[0]
        assert "the 33th cask held 231 gallons" in quote.text
        assert len(quote.text) <= LONGEST
        assert quote.text.startswith("the ")


ANSWERS = {
    "How often does the ferry run in winter?": "Three times a day.",
    "May I take a dog on board?": "Yes, on a lead.",
    "Who is called when it is late?": "Mats Olsen, at the office.",
}
LAYOUTS = ["Q: {}\nA: {}\n\n", "## {}\n\n{}\n\n", "{}\n{}\n\n", "4. {} {}\n", "**{}**\n{}\n\n"]


@pytest.mark.parametrize("name", ["a.txt", "a.md", "page.html", "a.pdf"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("question", ANSWERS)
def test_a_question_that_the_text_asks_too_is_quoted_with_its_answer(name, layout, question):
    text = "".join(layout.format(*pair) for pair in ANSWERS.items())
    with opened({name: ["The Halvard ferry, and what people ask.\n\n" + text]}) as index:
        quote = quotes_of(index, question)[0]
        assert question in quote.text and quote.text.endswith(ANSWERS[question])


@pytest.mark.parametrize(
    "asked",
    [
        "Why did Britain pay upwards of £1,000,000 to her whalemen in bounties?",  # it says how much
        "“What did Britain pay to her whalemen?”",  # somebody says it
        "But what shall the angry critics of that harbour say when Britain pays to flute, violin and bassoon?",
    ],
)
def test_a_question_that_says_something_is_quoted_alone(asked):
    with opened({"a.txt": [f"The sea was calm. {asked} Nobody knew. The moon rose."]}) as index:
        assert quotes_of(index, "What did Britain pay to her whalemen in bounties?")[0].text == asked


def test_code_is_quoted_by_lines():
    body = (
        "def write(self,\n    rows: list,\n    col_max: int = 30,\n    spacing: int = 2,\n) -> None:\n    return None\n"
    )
    with opened({"a.py": [f"import os\n\n{body}"]}) as index:
        quote = quotes_of(index, "What is the default of col_max in write?", "30", 1)[0]
        assert "col_max: int = 30," in quote.text
        assert quote.text.count("\n") == 2


def test_pages_are_those_where_the_quote_begins():
    with opened({"a.pdf": ["The first page is dull.\n", "The Ravenport key is brass.\n"]}, pages=True) as index:
        quote = quotes_of(index, "Of what is the Ravenport key?")[0]
        assert (quote.text, quote.page, quote.line) == ("The Ravenport key is brass.", 2, 2)


pieces = st.lists(
    st.one_of(st.text(), st.sampled_from(["whale " * 90, "The whale, a fish; " * 30, " " * 400, "鯨" * 500])),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(pieces, st.text(max_size=30), st.sampled_from(["a.txt", "a.py"]))
def test_every_quote_is_verbatim_and_a_changed_one_is_not(texts, answer, name):
    text = "".join(texts) + " The white whale was seen."
    with opened({name: [text]}) as index:
        quotes = quotes_of(index, f"Where was the whale or 鯨 seen? {text[:50]}", answer, 4)
        assert quotes
        for quote in quotes:
            assert text[quote.start : quote.end] == quote.text
            assert len(quote.text) <= LONGEST
            assert verify(quote, index)
            assert not verify(replace(quote, text=quote.text[:-1] + ("y" if quote.text[-1] == "x" else "x")), index)
            assert not verify(replace(quote, start=quote.start + 1), index)
            assert not verify(replace(quote, end=quote.end + 1), index)
            assert not verify(replace(quote, line=quote.line + 1), index)
            assert not verify(replace(quote, page=7), index)
            assert not verify(replace(quote, source="elsewhere"), index)


def test_what_a_model_wrote_is_found_where_it_stands():
    text = "He said “no—never,” and\n   left. The party's art was old."
    for written in ('He said "no - never," and left.', '"no--never," and  left', "“He said “no—never,” and"):
        found = find_words(written.replace(" - ", "—"), text)
        assert found
        start, end = found
        assert text[start:end].rsplit(maxsplit=1)[-1] in written.replace('"', "”").replace("--", "—")
    start, end = find_words("art", text)
    assert text[start - 1 : end + 1] == " art "
    for absent in ("", '"', "par", "never went", "art is old"):
        assert find_words(absent, text) is None


@given(st.text(min_size=1), st.data())
def test_a_span_written_with_other_white_space_is_found_again(text, data):
    for passage in cut(segments({"a": [text]})):
        words = passage.text.split()
        first = data.draw(st.integers(0, len(words) - 1))
        last = data.draw(st.integers(first, len(words) - 1))
        written = "  \n".join(words[first : last + 1])
        found = find_words(written, passage.text)
        if any(character.isalnum() for character in written):
            assert found
            start, end = found
            assert "".join(passage.text[start:end].split()) in "".join(words)


def test_one_quote_does_not_depend_on_the_answer():
    one, two, three, four = (Quote("a", at, at + 5, 1, None, "words") for at in (0, 10, 20, 30))
    assert with_another([one, two, three], [four, one], 3) == [one, two, four]
    assert with_another([one, two, three], [one, two, three], 3) == [one, two, three]
    assert with_another([one, two, three], [one, two], 3) == [one, two, three]
    assert with_another([one], [one, four], 3) == [one, four]
    assert with_another([], [four], 3) == [four]
    assert with_another([one, two], [], 3) == [one, two]


def test_the_lines_around_a_quote_are_those_of_the_source():
    lines = [f"line {number} of the text" for number in range(9)]
    text = "\n".join(lines)
    start = text.index("4 of")
    quote = Quote("a", start, start + len("4 of the"), 5, None, "4 of the")
    with opened({"a": [text]}) as index:
        before, after = lines_around(index, quote, 2)
        assert before + quote.text + after == "\n".join(lines[2:7])
        before, after = lines_around(index, quote, 100)
        assert before + quote.text + after == text


def test_characters_that_touch_are_marked_together():
    with opened({"a.txt": ["茶馆是徽州商人程守义开的。每天早上六点开门。"]}) as index:
        assert shared_words(index, index.text("a.txt", 0, 99), "茶馆是谁开的？程守义") == ("茶馆是", "程守义开的")
