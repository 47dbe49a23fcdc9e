"""A model's chat template, taken apart around the texts it carries.

Templates are programs (Jinja) that come with a checkpoint: they run in a sandbox, and they never see a
document. They are rendered around place holders; the words of the template are encoded with control tokens,
what takes a place holder's place is encoded as plain text.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from mmxcli.errors import MmxError, ModelError
from mmxcli.models.small_files import shown, utf8
from mmxcli.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    from jinja2 import Template

LONGEST = 1 << 20  # characters that a template may make of a few short turns
PLAIN = "{% for message in messages %}{{ message.content }}\n\n{% endfor %}"  # for models without a template


class ChatTemplate:
    """Turns a system line and a request with texts in it into token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises ModelError where the template cannot be used, DamagedError where it is none: it is tried once."""
        self.tokenizer = tokenizer
        self._template = self._parsed()
        self.parts("system", ["text"])

    def parts(self, system: str, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of a prompt whose user turn is `texts` joined, split so that part 0 is what comes before
        the first text, part 1 the first text, …, and the last part what comes after the last text."""
        words = self._around(len(texts), lambda marks: self._render(system, "".join(marks)))
        pieces = [self.tokenizer.encode_markup(words[0])]
        for text, after in zip(texts, words[1:], strict=True):
            pieces.append(self.tokenizer.encode(text))
            if after:
                pieces.append(self.tokenizer.encode_markup(after))
        return pieces

    def exchange(self, system: str) -> tuple[list[int], list[int], list[int]]:
        """Token ids of what comes before a first question, between it and its answer, and between that and the next
        question. Raises ModelError where the template allows no second question."""
        words = self._around(3, lambda marks: self._render(system, *marks))
        before, reply, following = (self.tokenizer.encode_markup(some) if some else [] for some in words[:3])
        return before, reply, following

    def _around(self, count: int, render: Callable[[Sequence[str]], str]) -> list[str]:
        """What a template writes before, between and after so many texts."""
        words = re.split(r"\x02\d+\x03", render([f"\x02{number}\x03" for number in range(count)]))
        if len(words) != count + 1:
            raise ModelError(f"{self._place}: its chat template does not keep the user's text as it is")
        return words

    def _render(self, system: str, user: str, *more: str) -> str:
        """`more`: an answer, the next question, and so on."""
        following = [
            {"role": "user" if number % 2 else "assistant", "content": text} for number, text in enumerate(more)
        ]
        turns = [{"role": "system", "content": system}, {"role": "user", "content": user}, *following]
        with suppress(Exception):
            return self._rendered(turns)
        # Some templates refuse a system turn: its words then open the user's.
        turns = [{"role": "user", "content": f"{system}\n\n{user}"}, *following]
        try:
            return self._rendered(turns)
        except MmxError:
            raise
        except Exception as error:  # a template is a program, and fails as one
            raise self._failing(error) from error

    def _rendered(self, turns: list[dict[str, str]]) -> str:
        """Raises whatever goes wrong in a program."""
        rendered = str(self._template.render(messages=turns, add_generation_prompt=True, **self._tokens))
        if len(rendered) > LONGEST:
            raise ModelError(f"{self._place}: its chat template makes {len(rendered)} characters of short turns")
        return rendered

    @cached_property
    def _tokens(self) -> dict[str, str]:
        return {name: self.tokenizer.special(name) for name in ("bos_token", "eos_token")}

    def _parsed(self) -> "Template":
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def refuse(message: str) -> None:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = refuse
        # The day is part of some templates; a fixed one keeps a prompt's tokens the same tomorrow.
        environment.globals["strftime_now"] = lambda form: date(2025, 1, 1).strftime(form)
        source = self._source()
        try:
            return environment.from_string(source)
        except Exception as error:  # the compiler runs what is constant
            raise self._failing(error) from error

    def _source(self) -> str:
        """Raises DamagedError for a file that cannot be read as text, ModelError for what is no template."""
        source = self.tokenizer.settings.get("chat_template")
        if source is None:
            with suppress(FileNotFoundError):
                source = utf8(self.tokenizer.folder / "chat_template.jinja")
        if isinstance(source, list):  # several named templates
            named = [item for item in source if isinstance(item, dict) and item.get("name") == "default"]
            source = named[0].get("template") if named else None
        if source is not None and not isinstance(source, str):
            raise ModelError(f"{self._place}: its chat template is {shown(source)}")
        return source or PLAIN

    @property
    def _place(self) -> str:
        return str(self.tokenizer.folder)

    def _failing(self, error: Exception) -> ModelError:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        return ModelError(f"{self._place}: its chat template fails: {said}")
