"""Writing: the likeliest token each time, whole characters only, nothing beyond the end."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from mmxcli.models.load import load_model
from mmxcli.models.tokenizer import Tokenizer
from mmxcli.models.writing import Writer
from mmxcli.reading.generate import generate


@pytest.mark.weights
def test_greedy_text_is_that_of_transformers(weights_folder: Path) -> None:
    """In float32, where no two tokens are so close that rounding decides."""
    from mmxcli.models.weights import locate

    folder = locate("smollm2-135m", weights_folder).path
    tokenizer = Tokenizer(folder)
    prompt = tokenizer.encode("The three largest cities of France are")
    model = load_model(folder, torch.float32)
    ours = "".join(piece for _, piece in generate(Writer(lambda: model), tokenizer, None, [prompt], 40))
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    written = reference.generate(torch.tensor([prompt]), max_new_tokens=40, do_sample=False)[0, len(prompt) :]
    assert ours == tokenizer.decode(written.tolist())


def test_a_stop_token_ends_it_and_half_characters_wait(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = load_model(tiny_folder), Tokenizer(tiny_folder)
    stop = next(iter(tokenizer.stop_ids))
    script = [*tokenizer.encode("é😀!"), stop, *tokenizer.encode("never")]

    def scripted(state: object, ids: list[int], logits: str = "none") -> torch.Tensor:
        row = torch.zeros(1, model.shape.vocabulary)
        row[0, script.pop(0)] = 1.0
        return row

    monkeypatch.setattr(model, "advance", scripted)
    pieces = [piece for _, piece in generate(Writer(lambda: model), tokenizer, None, [[1]], 50)]
    assert "".join(pieces) == "é😀!"
    assert all("\ufffd" not in piece for piece in pieces)
