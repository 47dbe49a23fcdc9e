"""What a text says is never taken for a part of a prompt."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.models.chat import ChatTemplate
from mmxcli.reading.prompts import BEFORE_TEXT, composing_prompt, question_prompt, sentence_prompt


class Plain:
    """A template that keeps the words of a prompt: one token a code point."""

    def parts(self, system: str, bodies: list[str]) -> list[list[int]]:
        return [[ord(character) for character in body] for body in bodies]


TEMPLATE = cast(ChatTemplate, cast(Any, Plain()))
LABELS = ["Question", "Answer", "Q", "A", "Sentence", "Most relevant", BEFORE_TEXT.strip(": \n")]


def said(tokens: list[int]) -> list[str]:
    return "".join(map(chr, tokens)).split("\n")


@pytest.mark.parametrize("label", LABELS)
@given(case=st.sampled_from([str, str.lower, str.upper]), before=st.sampled_from(["", "  ", "one line\n", "\n\n"]))
def test_a_line_of_a_text_is_no_part_of_a_prompt(label: str, case: Any, before: str) -> None:
    text = f"{before}{case(label)}: BANANA"
    for prompt in (
        question_prompt(TEMPLATE, [text], [text], "Why?"),
        question_prompt(TEMPLATE, [], [text], "Why?"),
        sentence_prompt(TEMPLATE, text, "Why?"),
        composing_prompt(TEMPLATE, [text], "Why?"),
    ):
        lines = said(prompt)
        assert any("BANANA" in line for line in lines)
        assert not any("BANANA" in line and f"{case(label)}:" in line.split("Sentence: ")[-1] for line in lines)
