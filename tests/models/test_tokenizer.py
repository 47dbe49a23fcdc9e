"""The tokenizer file may come in any order, and be anything at all."""

import json
from pathlib import Path

import pytest
from tiny import make_tokenizer

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.tokenizer import Tokenizer

TEXT = "The captain of the whaling ship, 1984. <|im_end|>\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_tokenizer(tmp_path)
    return tmp_path


def test_the_order_of_the_file_does_not_matter(folder: Path) -> None:
    path = folder / "tokenizer.json"
    before = Tokenizer(folder)
    definition = json.loads(path.read_text())
    for keys in (sorted(definition), sorted(definition, reverse=True), ["model", *(definition.keys() - {"model"})]):
        path.write_text(json.dumps({key: definition[key] for key in keys}))
        after = Tokenizer(folder)
        assert after.encode(TEXT) == before.encode(TEXT)
        assert after.encode_markup(TEXT) == before.encode_markup(TEXT)
        assert after.stop_ids == before.stop_ids


def test_it_agrees_with_the_library(folder: Path) -> None:
    from tokenizers import Tokenizer as Vocabulary

    ours, library = Tokenizer(folder), Vocabulary.from_file(str(folder / "tokenizer.json"))
    assert ours.encode_markup(TEXT) == library.encode(TEXT, add_special_tokens=False).ids
    assert ours.decode(ours.encode_markup(TEXT)) == library.decode(library.encode(TEXT).ids, skip_special_tokens=True)
    assert ours.decode(ours.encode(TEXT)) == TEXT


def test_half_a_character_is_encoded_as_a_question_mark(folder: Path) -> None:
    tokenizer = Tokenizer(folder)
    assert tokenizer.encode_with_spans("a\ud800b") == tokenizer.encode_with_spans("a?b")
    assert tokenizer.encode_together(["\udcff"])[0].ids(1) == tokenizer.encode("?")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": 3}', '{"added_tokens": [], "model": {"type": "BPE"'])
def test_a_file_that_is_none_is_damaged(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(DamagedError, match=r"tokenizer\.json"):
        Tokenizer(folder)


def test_a_folder_without_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        Tokenizer(tmp_path)
