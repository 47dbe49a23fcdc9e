"""Text to token ids and back, with the library that made the vocabulary (tokenizers), without transformers."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmxcli.errors import DamagedError, ModelError
from mmxcli.models.checkpoint import vocabulary_size
from mmxcli.models.encoded import Encoded, encodable
from mmxcli.models.small_files import read_json, shown, utf8

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Vocabulary

# What a tokenizer for plain text has none of.
PLAIN: dict[str, Any] = {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None}
_PLAIN_PARTS = re.compile(f'"(?:{"|".join(PLAIN)})"\\s*:\\s*[^\\s0-9]')  # a word of the vocabulary has a number there
_WHOLE_WORD = re.compile("[Ġ▁]([a-z]{3,})")


class Tokenizer:
    """Two views of one tokenizer: `encode` for text, where nothing is special, and `encode_markup` for a
    chat template's own words, where control tokens are.

    Text that spells a control token (`<|im_end|>`) becomes ordinary tokens: a document cannot end its turn.
    """

    def __init__(self, folder: Path) -> None:
        """Raises ModelError when the folder has no tokenizer, DamagedError when it or what belongs to it makes no
        sense."""
        self.folder = folder
        path = folder / "tokenizer.json"
        try:
            definition, model = _taken_apart(utf8(path))
        except FileNotFoundError:
            raise ModelError(f"{folder} has no tokenizer.json: mmx needs the model's tokenizer beside it") from None
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{path}: is not valid JSON ({error}); get the model again") from None
        self.settings = _optional(folder / "tokenizer_config.json")
        added = definition.get("added_tokens") or []
        self._control = dict(map(self._control_token, added if isinstance(added, list) else [added]))
        names = sorted(self._control, key=len, reverse=True)  # one control token may begin with another
        self._control_pattern = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        self._vocabulary = self._build(f"{json.dumps(definition | PLAIN)[:-1]}, {model}")
        self.rows = vocabulary_size(_optional(folder / "config.json")) or math.inf
        self.stop_ids = self._stop_ids()

    def _control_token(self, token: Any) -> tuple[str, int]:
        """Its text and its id. Raises DamagedError for what is none."""
        name, number = (token.get("content"), token.get("id")) if isinstance(token, dict) else (None, None)
        if not isinstance(name, str) or not name or type(number) is not int or number < 0:
            raise DamagedError(f"{self.folder / 'tokenizer.json'}: {shown(token)} is no token; get the model again")
        return name, number

    def _stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer: those of generation_config.json, config.json and the template's turn end.

        Raises DamagedError where a file has no token there.
        """
        stops: set[int] = set()
        for path in (self.folder / "generation_config.json", self.folder / "config.json"):
            declared = _optional(path).get("eos_token_id")
            numbers = declared if isinstance(declared, list) else [] if declared is None else [declared]
            if any(type(number) is not int for number in numbers):
                raise DamagedError(f"{path}: eos_token_id is {shown(declared)}; get the model again")
            stops.update(numbers)
        turn_end = self.special("eos_token")
        return frozenset(stops | {self._control[turn_end]} if turn_end in self._control else stops)

    def special(self, name: str) -> str:
        """The text of the token that tokenizer_config.json has under `name`; empty where it has none. Raises
        DamagedError where it has something else."""
        token = self.settings.get(name)
        content = token.get("content") if isinstance(token, dict) else token
        if token is not None and not isinstance(content, str):
            raise DamagedError(
                f"{self.folder / 'tokenizer_config.json'}: {name} is {shown(token)}; get the model again"
            )
        return content or ""

    def _build(self, definition: str) -> "Vocabulary":
        """The library's tokenizer; without any control token, so that no text can spell one."""
        from tokenizers import Tokenizer as Vocabulary

        with self._usable():
            return Vocabulary.from_str(definition)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Turns what the library raises over a file that contradicts itself into one line. Raises DamagedError."""
        try:
            yield
        except Exception as error:  # it raises nothing narrower
            said = " ".join(str(error).split())[:300]
            path = self.folder / "tokenizer.json"
            raise DamagedError(f"{path}: cannot be used ({said}); get the model again") from error

    def encode(self, text: str) -> list[int]:
        """Ids of plain text, without any token before or after it."""
        return self.encode_with_spans(text)[0]

    def encode_with_spans(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of plain text and each one's span of code points. Parts of one character share its span."""
        with self._usable():
            encoding = self._vocabulary.encode(encodable(text), add_special_tokens=False)
            return encoding.ids, encoding.offsets

    def encode_together(self, texts: Sequence[str], guard: str = "") -> list[Encoded]:
        """The tokens of each text as it is behind `guard`, found on all cores."""
        with self._usable():
            found = self._vocabulary.encode_batch([encodable(guard + text) for text in texts], add_special_tokens=False)
        return [Encoded(encoding, len(guard)) for encoding in found]

    def encode_markup(self, text: str) -> list[int]:
        """Ids of a chat template's words, its control tokens recognised. Raises DamagedError for one that the model
        has no embedding of."""
        ids: list[int] = []
        start = 0
        for control in self._control_pattern.finditer(text):
            number = self._control[control.group()]
            if number >= self.rows:
                raise DamagedError(
                    f"{self.folder / 'tokenizer.json'}: {control.group()} is the token {number}, but config.json makes "
                    f"{self.rows} of them; get the model again"
                )
            ids += [*self.encode(text[start : control.start()]), number]
            start = control.end()
        return ids + self.encode(text[start:])

    def words(self) -> dict[str, int]:
        """Its tokens that are a word of small Latin letters with a space before it, by the word."""
        with self._usable():
            found = ((_WHOLE_WORD.fullmatch(token), number) for token, number in self._vocabulary.get_vocab().items())
            return {match[1]: number for match, number in found if match and number < self.rows}

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids, control tokens left out."""
        control = self._control_ids
        text: str = self._vocabulary.decode([number for number in ids if number not in control])
        return text

    @cached_property
    def _control_ids(self) -> frozenset[int]:
        return frozenset(self._control.values())


def _taken_apart(text: str) -> tuple[dict[str, Any], str]:
    """A tokenizer.json as its small parts, and the text from the key "model" to the end.

    The model is the vocabulary, nearly all of the file, and comes last: parsing it here only to write it
    again would take most of a second at every start. Raises ValueError, or RecursionError.
    """
    place = text.find('"model"')
    small, model = text[:place].rstrip().removesuffix(",") + "}", text[place:]
    if place > 0 and not _PLAIN_PARTS.search(model):
        with suppress(ValueError):  # then it was another "model"
            return dict(json.loads(small)), model
    definition = json.loads(text)
    if not isinstance(definition, dict):
        raise ValueError("not an object")
    return definition, f'"model": {json.dumps(definition.pop("model", None))}}}'


def _optional(path: Path) -> dict[str, Any]:
    """The object in an optional file; empty when there is none."""
    try:
        return read_json(path)
    except FileNotFoundError:
        return {}
