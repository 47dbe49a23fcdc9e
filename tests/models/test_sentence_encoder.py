"""The encoder in NumPy gives what transformers' BERT gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from mmxcli.models.sentence_encoder import LONGEST, SentenceEncoder

WORDS = ["the", "ship", "##s", "sail", "##ed", "north", "."]
TEXTS = ["The ships sailed north.", "", "north", "ship " * 1000, "unknown wörds ☃", "sail " * 300, "the\n\nship"]
HALF = "ship \ud800"  # half a character


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT, as its library writes it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bert")
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64}
    network = BertModel(BertConfig(vocab_size=len(vocabulary), initializer_range=0.5, **sizes))
    for name, parameter in network.named_parameters():
        if "bias" in name or "LayerNorm" in name:  # else those of a new one are all 0 or all 1
            torch.nn.init.normal_(parameter, 0.5, 0.5)
    network.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.enable_padding(length=128)  # as the file that is fetched has it
    tokenizer.enable_truncation(128)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def expected(folder: Path, text: str) -> np.ndarray:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    network = BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        mean = network(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0].mean(0)
    return (mean / mean.norm()).numpy()


def test_it_computes_what_the_library_computes(folder: Path) -> None:
    found = SentenceEncoder(folder)(TEXTS)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    for text, direction in zip(TEXTS, found, strict=True):
        assert np.abs(direction - expected(folder, text)).max() < 1e-5, text


def test_a_text_does_not_depend_on_those_beside_it(folder: Path) -> None:
    encoder = SentenceEncoder(folder)
    together = encoder(TEXTS * 5)  # more than is computed at once
    assert np.array_equal(together, encoder(TEXTS * 5))
    alone = np.concatenate([encoder([text]) for text in TEXTS * 5])
    assert np.abs(together - alone).max() < 1e-5


def test_what_is_behind_the_longest_text_does_not_count(folder: Path) -> None:
    long = "ship " * (LONGEST - 2)  # and one token before and one behind
    one, same, other = SentenceEncoder(folder)([long, long + "north", long.removesuffix("ship ") + "north"])
    assert np.abs(one - same).max() < 1e-5
    assert np.abs(one - other).max() > 5e-5


def test_no_text_gives_nothing(folder: Path) -> None:
    assert SentenceEncoder(folder)([]).shape == (0, 32)


def test_common_words_are_the_first_whole_ones_of_the_vocabulary(folder: Path) -> None:
    assert SentenceEncoder(folder).common_words(3) == ["the", "ship", "sail"]
    assert SentenceEncoder(folder).common_words(99) == ["the", "ship", "sail", "north"]


def test_half_a_character_is_no_word(folder: Path) -> None:
    encoder = SentenceEncoder(folder)
    assert np.array_equal(encoder([HALF]), encoder(["ship ?"]))
