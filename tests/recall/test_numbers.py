"""Whole numbers, in figures and in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmxcli.recall.numbers import numbers

UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
UNITS += ["seventeen", "eighteen", "nineteen"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    if number < 20:
        return UNITS[number]
    if number < 100:
        return TENS[number // 10] + (f"-{UNITS[number % 10]}" if number % 10 else "")
    for scale, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            return f"{in_words(number // scale)} {name}" + (f" and {in_words(rest)}" if rest else "")
    raise AssertionError


@given(st.integers(2, 10**9 - 1))
def test_figures_and_words_have_the_same_value(number: int) -> None:
    for said in (str(number), f"{number:,}", in_words(number), in_words(number).upper()):
        text = f"There were {said} of them."
        [found] = numbers(text)
        assert found.value == number
        assert text[found.start : found.end] == said


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("at every fiftieth page", [50]),
        ("the 22nd of September, 1636", [22, 1636]),
        ("six feet five", [6, 5]),
        ("twenty and thirty", [20, 30]),
        ("nineteen hundred and two", [1902]),
        ("a hundred", [100]),
        ("one of them, the first; second to none", []),
        ("twenty-first", [21]),
        ("0.02, 5.4 and 10.000", []),
        ("h2o, x11", []),
        ("", []),
    ],
)
def test_what_is_a_number(text: str, values: list[int]) -> None:
    assert [number.value for number in numbers(text)] == values


@given(st.text())
def test_any_text(text: str) -> None:
    end = 0
    for number in numbers(text):
        assert end <= number.start < number.end <= len(text)
        end = number.end
