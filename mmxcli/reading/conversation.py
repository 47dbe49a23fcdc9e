"""What was said before a question: the words that recall carries over, and the state that the model goes on from.

A question is read, with its passages, by a fork of the state, which is dropped; the state itself goes on by the
question and its answer alone. So a turn costs what the second one did, however long the conversation is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mmxcli.reading.policy import SOFTMAX_WINDOW
from mmxcli.reading.prompts import continuation_prompt, exchange, next_prompt, opening, question_prompt
from mmxcli.reading.session import Reading, Session
from mmxcli.recall.marks import unlabelled
from mmxcli.recall.words import content_words, words
from mmxcli.state.model_state import ModelState

if TYPE_CHECKING:
    from mmxcli.models.writing import Before

_POINTING = """
he him his she her hers it its they them their theirs this that these those there then one ones former latter same
"""
POINTING = frozenset(_POINTING.split())  # words that stand for what was said before
# A question goes on from what was said before with fewer telling words of its own than FEW, and with fewer than MORE
# where it points there. Measured: docs/chat.md.
FEW, MORE = 3, 6
OF_QUESTION, OF_ANSWER, MOST_CARRIED = 5, 3, 8  # words that are carried over, the rarest
# Tokens of what was said, some eight exchanges, that llama-like models have in sight, so that a late question takes no
# longer than an early one.
SEEN = 384
REMEMBERED = 8  # exchanges of a stored conversation that the model reads again where it is continued


class Exchange(NamedTuple):
    """`answer` is "" where the text does not say."""

    question: str
    answer: str


class Conversation:
    """What was asked and answered of one reading. After each exchange the model's state is what has read it."""

    def __init__(self, session: Session, reading: Reading, exchanges: Sequence[Exchange] = ()) -> None:
        """`exchanges` are earlier ones, which the model is yet to read."""
        self._session = session
        self._reading = reading
        self._carried: list[str] = []
        self._state: Before | None = None  # None before the first exchange
        self._unread = [one for one in exchanges if one.answer][-REMEMBERED:]
        for one in exchanges:
            self._carry(one)

    def about(self, question: str) -> str:
        """The words that recall is to look for beside those of the question; "" where it can be understood alone."""
        return " ".join(self._carried) if goes_on(question) else ""

    def begin(self, passages: Sequence[str], quotes: Sequence[str], question: str) -> "tuple[Before | None, list[int]]":
        """From where the model is to read a question and its passages, a fork or None for nothing, and as which tokens.

        A question that can be understood by itself is read as `mmx ask` reads it. So is one whose passages fill the
        window: what was said before would not be in sight. Where the text itself asks and answers like a prompt, the
        state that has read it would go on from that: then only the passages are read, without their labels."""
        self._catch_up()
        if self._state is not None and goes_on(question):
            prompt = next_prompt(self._session.template, passages, quotes, question)
            if self._window is None or len(prompt) + self._session.settings.max_tokens <= self._window:
                return _fork(self._state), prompt
        imitates = any(unlabelled(quote) != quote for quote in quotes)
        text = None if imitates else self._reading.state
        form = question_prompt if text is None else continuation_prompt
        return text and text.fork(), form(self._session.template, passages, quotes, question)

    def add(self, exchange: Exchange) -> None:
        """Goes on from an exchange. Interrupted, it goes on from it at the next question."""
        self._carry(exchange)
        if exchange.answer:
            self._unread.append(exchange)
            if self._session.writer:  # else nothing was written yet, and no model is needed
                self._catch_up()

    def _catch_up(self) -> None:
        """The model reads what it has not read of the conversation."""
        while self._unread:
            self._state = self._after(self._unread[0])
            del self._unread[0]

    def _after(self, said: Exchange) -> "Before":
        session, text = self._session, self._reading.state
        assert session.writer
        first = self._state is None
        tokens = exchange(session.template, said.question, said.answer, of_text=first and text is not None)
        if first and text is None:
            tokens = opening(session.template) + tokens
        return session.writer.read_on(self._state or text, tokens, self._window, SEEN, session.policy.chunk)

    @property
    def _window(self) -> int | None:
        """Tokens that softmax layers see of a conversation beside the sinks; None: what their own kind of memory
        holds."""
        if self._reading.state is not None:
            return self._reading.stored.window
        alone = self._session.anatomy.memory == "softmax"
        return self._session.settings.window or SOFTMAX_WINDOW if alone else None

    def _carry(self, said: Exchange) -> None:
        """Keeps the words by which recall may look for what is asked next."""
        index = self._reading.index
        new = index.rarest(said.question, OF_QUESTION) + index.rarest(said.answer, OF_ANSWER)
        earlier = self._carried if goes_on(said.question) else []
        self._carried = list(dict.fromkeys([*new, *earlier]))[:MOST_CARRIED]


def _fork(state: "Before") -> "Before":
    return state.fork() if isinstance(state, ModelState) else state  # the other is never changed


def goes_on(question: str) -> bool:
    """Whether a question cannot be understood by itself."""
    own = len(list(content_words(question)))
    return own < FEW or (own < MORE and any(word.text.lower() in POINTING for word in words(question)))
