"""Rows of a table stand below the names of their columns."""

import pytest
from indexes import opened

from mmxcli.recall.columns import Columns, labelled, names_in
from mmxcli.recall.passages import Passage
from mmxcli.recall.quotes import best_quotes

NAMES = "item,shelf,quantity"
ROWS = "".join(f"thing {number},B{number},{number * 3}\n" for number in range(200))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{NAMES}\nnail,B2,7\n", NAMES),
        ("# Prices\nPrices of 2024\n\nitem\tprice\nnail\t7\n", "item\tprice"),
        ("nail,B2,7\nscrew,B3,9\n", ""),
        ("Anna,Berlin,teacher\nOtto,Bonn,smith\n", ""),  # nothing tells a row of names from another
        ("a line\nand 2 others\n", ""),
        ("", ""),
    ],
)
def test_the_line_that_names_the_columns(text: str, names: str) -> None:
    columns = Columns()
    assert columns.above(text) == names
    columns.read(text)
    assert columns.above("more,C4,8\n") == names


def test_each_sheet_has_its_own() -> None:
    columns = Columns()
    columns.read("# One\na\tb\nx\t1\n")
    columns.read("# Two\nc\td\ny\t2\n")
    assert columns.names == "c\td"


def test_every_passage_has_them_and_a_quote_is_one_row() -> None:
    with opened({"stock.csv": [f"{NAMES}\n{ROWS}"]}) as index:
        passages: list[Passage] = list(index.passages(["stock.csv"]))
        assert {names_in(passage.headings) for passage in passages} == {NAMES}
        question = "On which shelf is thing 150?"
        quotes = best_quotes(index, question, None, [hit.passage for hit in index.search(question, 8)], 3)
        assert quotes[0].text == "thing 150,B150,450"
        assert NAMES not in [quote.text for quote in quotes]


@pytest.mark.parametrize(
    ("names", "row", "told"),
    [
        ("item,price", 'nail,"1,20"', "item: nail; price: 1,20"),
        ("item\tprice", "nail\t7", "item: nail; price: 7"),
        ("item,price", "nail", "nail"),
        ("", "nail,7", "nail,7"),
        ("item,price", "", ""),
        ("item,price", "nail\r,7", "item: nail; price: 7"),
    ],
)
def test_a_row_with_the_names_of_its_columns(names: str, row: str, told: str) -> None:
    assert labelled(names, row) == told
