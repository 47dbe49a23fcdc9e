"""Every word that mmx itself says to a model."""

from collections.abc import Sequence

from mmxcli.models.chat import ChatTemplate
from mmxcli.recall.marks import unlabelled

# No refusal is offered: offered one, a small model refuses most questions whose answer stands right there.
SYSTEM = "Answer the question from the text. Reply with the shortest exact answer, copied from the text."
BEFORE_TEXT = "Text:\n"
NAMING = "Answer the question in a few words, copied from the sentence."
COMPOSING = (
    "Write a short paragraph that answers the question with all facts from the numbered sentences that belong to the "
    "answer. Leave out sentences about other things."
)
RETELLING = (
    "Summarise the text in at most four short sentences. Each says one thing that matters and is clear by itself: "
    "write names, not he, she or it. Write only what the text says."
)
PURPOSE = "You document code. Say in at most twelve words what the file is for. Begin with a verb."
EXPECTING = "Write the question to which a line of a log answers yes."


def reading_prompt(template: ChatTemplate) -> list[int]:
    """The tokens before a text that is read in full."""
    return template.parts(SYSTEM, [BEFORE_TEXT])[0] + template.tokenizer.encode(BEFORE_TEXT)


def question_prompt(template: ChatTemplate, passages: Sequence[str], quotes: Sequence[str], question: str) -> list[int]:
    """A whole prompt: question, passages, the best sentences, and the question again, because reading twice helps
    (arXiv 2407.05483)."""
    return [token for part in template.parts(SYSTEM, [_question(passages, quotes, question)]) for token in part]


def next_prompt(template: ChatTemplate, passages: Sequence[str], quotes: Sequence[str], question: str) -> list[int]:
    """What follows an exchange: the same, without the template's beginning."""
    parts = template.parts(SYSTEM, [_question(passages, quotes, question)])
    return [token for part in parts[1:] for token in part]


def exchange(template: ChatTemplate, question: str, answer: str, *, of_text: bool) -> list[int]:
    """A question without its passages, its answer, and the template's words up to the next question. `of_text`: they
    follow a text that was read after `reading_prompt`."""
    _, reply, following = template.exchange(SYSTEM)
    asked = template.tokenizer.encode(f"{chr(10) * 2 * of_text}Question: {question}")
    return [*asked, *reply, *template.tokenizer.encode(answer), *following]


def opening(template: ChatTemplate) -> list[int]:
    """The template's words before a first question."""
    return template.exchange(SYSTEM)[0]


def sentence_prompt(template: ChatTemplate, sentence: str, question: str) -> list[int]:
    """A short one: what of a single sentence is the answer?"""
    body = f"Sentence: {_in_a_line(sentence)}\n\nQuestion: {question}"
    return [token for part in template.parts(NAMING, [body]) for token in part]


def composing_prompt(template: ChatTemplate, sentences: Sequence[str], question: str) -> list[int]:
    """Sentences of which an answer is to be made."""
    numbered = "\n".join(f"[{number}] {_in_a_line(sentence)}" for number, sentence in enumerate(sentences, 1))
    body = f"Question: {question}\n\n{numbered}\n\nQuestion: {question}"
    return [token for part in template.parts(COMPOSING, [body]) for token in part]


def expecting_prompt(template: ChatTemplate) -> tuple[list[int], list[int]]:
    """What comes before a line, and what between it and the question that the model is to expect."""
    before, heading, _, *after = template.parts(EXPECTING, ["Line: ", "a line"])
    return before + heading, [token for part in after for token in part]


def continuation_prompt(
    template: ChatTemplate, passages: Sequence[str], quotes: Sequence[str], question: str
) -> list[int]:
    """What follows a text that was read after `reading_prompt`: the same, without the template's beginning."""
    again = f"\n\nFrom the text:\n{_recalled(passages, quotes)}\n\nQuestion: {question}"
    parts = template.parts(SYSTEM, [BEFORE_TEXT, again])
    return [token for part in parts[2:] for token in part]


def retelling_prompt(template: ChatTemplate, text: str, before: str = "") -> list[int]:
    """A text that is to be told, and in short what came before it."""
    earlier = f"What came before, not to be told again:\n{before}\n\n" if before else ""
    body = f"{earlier}{BEFORE_TEXT}{text}\n\nSummary of the text:"
    return [token for part in template.parts(RETELLING, [body]) for token in part]


def carried_prompt(template: ChatTemplate, title: str) -> list[int]:
    """What follows a text that was read after `reading_prompt` as far as the end of the part that is to be told."""
    again = f"\n\nThe text goes on later. {RETELLING} The text means its last part, {title!r}.\n\nSummary:"
    return [token for part in template.parts(SYSTEM, [BEFORE_TEXT, again])[2:] for token in part]


def _question(passages: Sequence[str], quotes: Sequence[str], question: str) -> str:
    return f"Question: {question}\n\n{BEFORE_TEXT}{_recalled(passages, quotes)}\n\nQuestion: {question}"


def _recalled(passages: Sequence[str], quotes: Sequence[str]) -> str:
    best = "\n".join(map(_in_a_line, quotes))
    return "\n\n".join([*map(unlabelled, passages), f"Most relevant:\n{best}"]) if passages else best


def _in_a_line(text: str) -> str:
    """Without what would make it look like a part of the prompt."""
    return " ".join(unlabelled(text).split())


def purpose_prompt(template: ChatTemplate, name: str, definitions: Sequence[str], head: str) -> list[int]:
    """A file of code: its name, what it defines, and how it begins."""
    body = f"File: {name}\nIt defines: {', '.join(definitions)}\nIt begins:\n{head}\n\nWhat is it for?"
    return [token for part in template.parts(PURPOSE, [body]) for token in part]
