"""Questions read and answers written: a few tokens a step, of one text or of several."""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from mmxcli.errors import ModelError
from mmxcli.models.compiler import first_run, load_compiler
from mmxcli.models.fields import Fields
from mmxcli.models.load import embedding_of
from mmxcli.models.runner import Model
from mmxcli.models.shape import Shape, foreign
from mmxcli.state.model_state import ModelState
from mmxcli.state.sizes import SINKS

if TYPE_CHECKING:
    from mmxcli.models.softmax import SoftmaxModel
    from mmxcli.models.softmax_writing import Past, SoftmaxWriting
    from mmxcli.models.step_attention import Floats

    Before = ModelState | Past  # what a text goes on from
    Befores = Sequence[Before]

TOGETHER = 4  # texts that are written at once: with more, products are bound by computing and not by memory any more
FORMAT = 4  # of the file with weights in 8 bits
MOST_BYTES = 512 << 20  # of keys and values for all texts that are written at once
REMEMBERED = 256  # tokens of how a prompt began
COPIES = 3  # times as much as a state in bfloat16: itself, and what is written with in float32


class Writing(Protocol):
    """Texts that are continued."""

    @property
    def rows(self) -> int:
        """How many tokens, of all texts together, it pays to try in one step. 1: one of each text, no more."""
        ...

    def read(self, pieces: Sequence[Sequence[int]]) -> None:
        """Adds a piece, which may be empty, to each text that goes on."""
        ...

    def step(self, pieces: Sequence[Sequence[int]]) -> "Floats":
        """Adds a piece of at least one token to each text that goes on; float32 logits (all these tokens, vocabulary)
        for what follows each."""
        ...

    def keep(self, counts: Sequence[int]) -> None:
        """Comes after each step: only so many tokens of each piece stay. A text of which none stays goes no further."""
        ...

    def fork(self) -> "Writing":
        """The same texts once more, to go on in another way."""
        ...


class PlainWriting:
    """By the model's own steps, one text after the other, one token of each."""

    rows = 1

    def __init__(self, model: Model, states: Sequence[ModelState], chunk: int) -> None:
        """Takes the states over. `chunk`: tokens that are read at once."""
        self._model = model
        self._states = list(states)
        self._chunk = chunk

    def read(self, pieces: Sequence[Sequence[int]]) -> None:
        for state, piece in zip(self._states, pieces, strict=True):
            for start in range(0, len(piece), self._chunk):
                self._model.advance(state, piece[start : start + self._chunk])

    def step(self, pieces: Sequence[Sequence[int]]) -> "Floats":
        import torch

        logits = [self._model.advance(state, ids, "last") for state, ids in zip(self._states, pieces, strict=True)]
        return cast("Floats", torch.cat([some for some in logits if some is not None]).cpu().numpy())

    def keep(self, counts: Sequence[int]) -> None:
        self._states = [state for state, count in zip(self._states, counts, strict=True) if count]

    def fork(self) -> "PlainWriting":
        return PlainWriting(self._model, [state.fork() for state in self._states], self._chunk)


class Writer:
    """Begins writings of one model, which is asked for when it is needed."""

    def __init__(self, model: Callable[[], Model], fast: "FastWriter | None" = None) -> None:
        self._model = model
        self._fast = fast

    def together(self, size: int) -> int:
        """How many texts it is worth while to write at once that go on from a state of so many bytes."""
        return max(1, min(TOGETHER, MOST_BYTES // max(1, COPIES * size))) if self._fast else 1

    def begin(self, states: "Befores | int", prompts: Sequence[Sequence[int]], chunk: int) -> Writing:
        """Texts that have read `prompts` after `states`, which are taken over, or so many texts from nothing. Of what
        this writer has `read_on` there may be one.

        What goes on from a state of the model is read by the model itself, in pieces of `chunk` tokens.
        """
        fast = self._fast
        if not isinstance(states, int) and not isinstance(first := states[0], ModelState):
            assert fast
            writing: Writing = fast.again(first)
            writing.read(prompts)
            return writing
        if isinstance(states, int):
            if fast and fast.bytes(sum(map(len, prompts))) <= MOST_BYTES:
                return fast.begin(prompts)
            states = [self._model().new_state() for _ in range(states)]
        models = cast("Sequence[ModelState]", states)
        plain = PlainWriting(self._model(), models, chunk)
        plain.read(prompts)
        begun = all(state.position >= SINKS for state in models)  # the sinks are those of the states
        if fast and begun and COPIES * sum(state.bytes for state in models) <= MOST_BYTES:
            return fast.go_on(models)
        return plain

    def read_ahead(self, ids: Sequence[int]) -> None:
        """How the next prompt from nothing will begin, so that it is read from there on. Only the compiled step
        remembers it."""
        if self._fast:
            self._fast.begin([ids])

    def read_on(
        self, before: "Before | None", ids: Sequence[int], window: int | None, most: int, chunk: int
    ) -> "Before":
        """What has read `ids` after `before`, which stays as it is, or as the beginning of a text: by the compiled step
        where that began it, else by the model. `window`: tokens that softmax layers then see, beside the sinks; the
        compiled step keeps `most` of what was read."""
        if self._fast and window is not None and not isinstance(before, ModelState):
            return self._fast.read_on(before, ids, window, most)
        assert before is None or isinstance(before, ModelState)
        state = before.fork() if before else self._new_state(window)
        for start in range(0, len(ids), chunk):
            self._model().advance(state, ids[start : start + chunk])
        return state

    def _new_state(self, window: int | None) -> ModelState:
        """With a window, where the model's attention can be given one."""
        with suppress(ModelError):
            return self._model().new_state(window)
        return self._model().new_state()


class FastWriter:
    """Begins writings by the compiled step."""

    def __init__(self, shape: Shape, begin: "Callable[[Past], SoftmaxWriting]") -> None:
        self._shape = shape
        self._begin = begin
        self._read: Sequence[int] = ()  # how the last prompts began
        self._past: Past | None = None  # what has read that

    def bytes(self, tokens: int) -> int:
        """Of the keys and values of so many tokens in float32."""
        shape = self._shape
        return tokens * shape.layers * 2 * shape.key_heads * shape.head_width * 4

    def begin(self, prompts: Sequence[Sequence[int]]) -> "SoftmaxWriting":
        """Texts that have read these prompts. How all of them begin is read once, and no more of it than the prompts
        before did not begin with: what is read does not depend on how it is cut."""
        from mmxcli.models.softmax_writing import beginning, nothing, times

        alike = prompts[0][: _alike(prompts)]
        known = _alike([alike, self._read])
        one = self._begin(beginning(self._past, known) if self._past else nothing(self._shape, 1))
        one.read([alike[known:]])
        past = one.past()
        self._read, self._past = alike[:REMEMBERED], beginning(past, REMEMBERED)
        if len(prompts) == 1:
            return one
        writing = self._begin(times(past, len(prompts)))
        writing.read([prompt[len(alike) :] for prompt in prompts])
        return writing

    def read_on(self, before: "Past | None", ids: Sequence[int], window: int, most: int) -> "Past":
        """One text that has read `ids` after `before`, which stays as it is, or from nothing; `most` tokens of it stay
        in sight."""
        from mmxcli.models.softmax_writing import nothing

        if before is None:
            writing = self._begin(nothing(self._shape, 1, window))
            writing.read([ids[:SINKS]])
            writing.keep_sinks()
            ids = ids[SINKS:]
        else:
            writing = self.again(before)
        writing.read([ids])
        return writing.past(most)

    def again(self, before: "Past") -> "SoftmaxWriting":
        """A text that goes on from `before`, which stays as it is."""
        return self._begin(before._replace(lengths=before.lengths.copy(), positions=before.positions.copy()))

    def go_on(self, states: Sequence[ModelState]) -> "SoftmaxWriting":
        from mmxcli.models.softmax_past import past_of

        return self._begin(past_of(self._shape, states))


def _alike(texts: Sequence[Sequence[int]]) -> int:
    """How many tokens all of them begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False)))


def place(weights_folder: Path, identity: str) -> Path:
    """The file with the 8-bit weights of a model with this identity."""
    return weights_folder / "eight-bits" / f"{identity[:32]}-{FORMAT}.safetensors"


def writer(model: Callable[[], Model], folder: Path, file: Path, threads: int) -> Writer:
    """The fastest that there is for the model in `folder`. Raises what `fast_writer` raises."""
    return Writer(model, fast_writer(model, folder, file, threads))


def fast_writer(model: Callable[[], Model], folder: Path, file: Path, threads: int) -> FastWriter | None:
    """That for the model in `folder`, if it is one that the kernels compute, with its weights in 8 bits in `file`: made
    there when they are not, for which alone the model is asked. Raises ModelError when they cannot be written, and
    whatever goes wrong where the step is compiled, or what was compiled is loaded."""
    fields = Fields(folder)
    if foreign(fields) is not None or not fits(shape := Shape.read(folder)):
        return None
    compiled = load_kernels()
    import numba

    if numba.config.DISABLE_JIT:  # somebody debugs: uncompiled it would take minutes a token
        return None
    from mmxcli.models.eight_bits import kept
    from mmxcli.models.embedding import Embedding
    from mmxcli.models.softmax_writing import SoftmaxWriting, compile_step

    numba.set_num_threads(max(1, min(threads, numba.config.NUMBA_NUM_THREADS)))
    weights = kept(shape, file, lambda: cast("SoftmaxModel", model()))
    embedding = Embedding(embedding_of(shape, folder))
    try:
        first_run(lambda: compile_step(weights), compiled)
    finally:  # Numba's first use of its threads changes how many torch has, where both use the same library for them
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(threads)
    return FastWriter(shape, lambda past: SoftmaxWriting(shape, weights, embedding, past))


def load_kernels() -> Path:
    """Loads the compiler and what it is to compile, and nothing of a model; no threads are started. The folder of what
    was compiled before."""
    compiled = load_compiler()
    from mmxcli.models import eight_bits, softmax_writing  # noqa: F401

    return compiled


def fits(shape: Shape) -> bool:
    """Whether the kernels compute this network: without biases but those of queries, keys and values."""
    return not ((shape.attention_bias and shape.family in ("llama", "qwen3")) or shape.mlp_bias)
