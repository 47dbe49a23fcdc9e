"""A model's chat template, taken apart around the texts it carries.

Templates are programs (Jinja) that come with a checkpoint: they run in a sandbox, and they never see a
document. They are rendered around place holders; the words of the template are encoded with control tokens,
what takes a place holder's place is encoded as plain text.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mmxcli.errors import ModelError
from mmxcli.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    from jinja2 import Template

PLAIN = "{% for message in messages %}{{ message.content }}\n\n{% endfor %}"  # for models without a template


class ChatTemplate:
    """Turns a system line and a request with texts in it into token ids."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def parts(self, system: str, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of a prompt whose user turn is `texts` joined, split so that part 0 is what comes before
        the first text, part 1 the first text, …, and the last part what comes after the last text."""
        marks = [f"\x02{number}\x03" for number in range(len(texts))]
        rendered = self._render(system, "".join(marks))
        words = re.split(r"\x02\d+\x03", rendered)
        if len(words) != len(marks) + 1:
            raise ModelError(f"{self.tokenizer.folder}: its chat template does not keep the user's text as it is")
        pieces = [self.tokenizer.encode_markup(words[0])]
        for text, after in zip(texts, words[1:], strict=True):
            pieces.append(self.tokenizer.encode(text))
            if after:
                pieces.append(self.tokenizer.encode_markup(after))
        return pieces

    def _render(self, system: str, user: str) -> str:
        import jinja2

        turns = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        try:
            return str(self._template.render(messages=turns, add_generation_prompt=True, **self._tokens))
        except jinja2.TemplateError:
            # Some templates refuse a system turn: its words then open the user's.
            turns = [{"role": "user", "content": f"{system}\n\n{user}"}]
        try:
            return str(self._template.render(messages=turns, add_generation_prompt=True, **self._tokens))
        except jinja2.TemplateError as error:
            raise ModelError(f"{self.tokenizer.folder}: its chat template fails: {error}") from None

    @cached_property
    def _tokens(self) -> dict[str, str]:
        tokens = {}
        for name in ("bos_token", "eos_token"):
            token = self.tokenizer.settings.get(name) or ""
            tokens[name] = token.get("content", "") if isinstance(token, dict) else token
        return tokens

    @cached_property
    def _template(self) -> "Template":
        import jinja2
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def refuse(message: str) -> None:
            raise jinja2.TemplateError(message)

        source = self.tokenizer.settings.get("chat_template")
        file = Path(self.tokenizer.folder) / "chat_template.jinja"
        if source is None and file.is_file():
            source = file.read_text(encoding="utf-8")
        if isinstance(source, list):  # several named templates
            source = next((item["template"] for item in source if item.get("name") == "default"), None)
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = refuse
        # The day is part of some templates; a fixed one keeps a prompt's tokens the same tomorrow.
        environment.globals["strftime_now"] = lambda form: date(2025, 1, 1).strftime(form)
        try:
            return environment.from_string(source or PLAIN)
        except jinja2.TemplateError as error:
            raise ModelError(f"{self.tokenizer.folder}: its chat template cannot be parsed: {error}") from None
