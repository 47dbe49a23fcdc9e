"""Text to token ids and back, with the library that made the vocabulary (tokenizers), without transformers."""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmxcli.errors import DamagedError, ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Vocabulary


class Tokenizer:
    """Two views of one tokenizer: `encode` for text, where nothing is special, and `encode_markup` for a
    chat template's own words, where control tokens are.

    Text that spells a control token (`<|im_end|>`) becomes ordinary tokens: a document cannot end its turn.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelError when the folder has no tokenizer, DamagedError when it cannot be parsed."""
        self.folder = folder
        path = folder / "tokenizer.json"
        try:
            self._definition: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(f"{folder} has no tokenizer.json: mmx needs the model's tokenizer beside it") from None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
        self.settings = _read_json(folder / "tokenizer_config.json")
        self._text = self._build(control_tokens=False)

    def _build(self, control_tokens: bool) -> "Vocabulary":
        from tokenizers import Tokenizer as Vocabulary

        definition = self._definition | {"post_processor": None, "truncation": None, "padding": None}
        if not control_tokens:
            definition["added_tokens"] = []
        try:
            return Vocabulary.from_str(json.dumps(definition))
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise DamagedError(f"{self.folder / 'tokenizer.json'} cannot be used: {error}") from None

    @cached_property
    def _markup(self) -> "Vocabulary":
        return self._build(control_tokens=True)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, without any token before or after it."""
        ids: list[int] = self._text.encode(text, add_special_tokens=False).ids
        return ids

    def encode_with_spans(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of plain text and each one's span of code points. Parts of one character share its span."""
        encoding = self._text.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def encode_markup(self, text: str) -> list[int]:
        """Ids of a trusted template's words, its control tokens recognised."""
        ids: list[int] = self._markup.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens left out."""
        text: str = self._markup.decode(list(ids), skip_special_tokens=True)
        return text

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer: those of generation_config.json, config.json and the template's turn end."""
        stops: set[int] = set()
        for name in ("generation_config.json", "config.json"):
            declared = _read_json(self.folder / name).get("eos_token_id")
            stops.update(declared if isinstance(declared, list) else [declared] if declared is not None else [])
        token = self.settings.get("eos_token")
        content = token.get("content") if isinstance(token, dict) else token
        number = self._markup.token_to_id(content) if isinstance(content, str) else None
        if number is not None:
            stops.add(number)
        return frozenset(stops)


def _read_json(path: Path) -> dict[str, Any]:
    """The object in an optional file; empty when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
    return value if isinstance(value, dict) else {}
