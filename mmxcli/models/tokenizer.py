"""Text to token ids and back, with the library that made the vocabulary (tokenizers), without transformers."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmxcli.errors import DamagedError, ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Vocabulary

# What a tokenizer for plain text has none of.
PLAIN: dict[str, Any] = {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}


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
            definition, model = _taken_apart(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(f"{folder} has no tokenizer.json: mmx needs the model's tokenizer beside it") from None
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
        self.settings = _read_json(folder / "tokenizer_config.json")
        added = definition.get("added_tokens") or []
        self._control = {str(token["content"]): int(token["id"]) for token in added}
        names = sorted(self._control, key=len, reverse=True)  # one control token may begin with another
        self._control_pattern = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        self._vocabulary = self._build(f"{json.dumps(definition | PLAIN)[:-1]}, {model}")

    def _build(self, definition: str) -> "Vocabulary":
        """The library's tokenizer; without any control token, so that no text can spell one."""
        from tokenizers import Tokenizer as Vocabulary

        try:
            return Vocabulary.from_str(definition)
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise DamagedError(f"{self.folder / 'tokenizer.json'} cannot be used: {error}") from None

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, without any token before or after it."""
        ids: list[int] = self._vocabulary.encode(text, add_special_tokens=False).ids
        return ids

    def encode_with_spans(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of plain text and each one's span of code points. Parts of one character share its span."""
        encoding = self._vocabulary.encode(text, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def encode_markup(self, text: str) -> list[int]:
        """Ids of a trusted template's words, its control tokens recognised."""
        ids: list[int] = []
        start = 0
        for control in self._control_pattern.finditer(text):
            ids += [*self.encode(text[start : control.start()]), self._control[control.group()]]
            start = control.end()
        return ids + self.encode(text[start:])

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens left out."""
        control = self._control_ids
        text: str = self._vocabulary.decode([number for number in ids if number not in control])
        return text

    @cached_property
    def _control_ids(self) -> frozenset[int]:
        return frozenset(self._control.values())

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer: those of generation_config.json, config.json and the template's turn end."""
        stops: set[int] = set()
        for name in ("generation_config.json", "config.json"):
            declared = _read_json(self.folder / name).get("eos_token_id")
            stops.update(declared if isinstance(declared, list) else [declared] if declared is not None else [])
        token = self.settings.get("eos_token")
        content = token.get("content") if isinstance(token, dict) else token
        if isinstance(content, str) and content in self._control:
            stops.add(self._control[content])
        return frozenset(stops)


def _taken_apart(text: str) -> tuple[dict[str, Any], str]:
    """A tokenizer.json as its small parts, and the text from the key "model" to the end.

    The model is the vocabulary, nearly all of the file, and comes last: parsing it here only to write it
    again would take most of a second at every start. Raises JSONDecodeError.
    """
    place = text.find('"model"')
    small, model = text[:place].rstrip().removesuffix(",") + "}", text[place:]
    if place > 0 and not any(f'"{name}"' in model for name in PLAIN):
        with suppress(json.JSONDecodeError):  # then it was another "model"
            return dict(json.loads(small)), model
    definition = json.loads(text)
    if not isinstance(definition, dict):
        raise json.JSONDecodeError("not an object", text, 0)
    return definition, f'"model": {json.dumps(definition.pop("model", None))}}}'


def _read_json(path: Path) -> dict[str, Any]:
    """The object in an optional file; empty when there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DamagedError(f"{path} is not valid JSON ({error}): get the model again") from None
    return value if isinstance(value, dict) else {}
