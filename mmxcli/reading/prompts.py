"""Every word that mmx itself says to a model."""

from collections.abc import Sequence

from mmxcli.models.chat import ChatTemplate

# No refusal is offered: offered one, a small model refuses most questions whose answer stands right there.
SYSTEM = "Answer the question from the text. Reply with the shortest exact answer, copied from the text."
BEFORE_TEXT = "Text:\n"


def reading_prompt(template: ChatTemplate) -> list[int]:
    """The tokens before a text that is read in full."""
    return template.parts(SYSTEM, [BEFORE_TEXT])[0] + template.tokenizer.encode(BEFORE_TEXT)


def question_prompt(template: ChatTemplate, passages: Sequence[str], question: str) -> list[int]:
    """A whole prompt: question, passages, question again, because reading twice helps (arXiv 2407.05483)."""
    text = "\n\n".join(passages)
    body = f"Question: {question}\n\n{BEFORE_TEXT}{text}\n\nQuestion: {question}"
    return [token for part in template.parts(SYSTEM, [body]) for token in part]


def continuation_prompt(template: ChatTemplate, passages: Sequence[str], question: str) -> list[int]:
    """What follows a text that was read after `reading_prompt`: the passages once more, and the question."""
    text = "\n\n".join(passages)
    again = f"\n\nFrom the text:\n{text}" if passages else ""
    parts = template.parts(SYSTEM, [BEFORE_TEXT, f"{again}\n\nQuestion: {question}"])
    return [token for part in parts[2:] for token in part]
