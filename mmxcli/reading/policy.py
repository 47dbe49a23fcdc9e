"""How a text will be read: decided from its length, the model's anatomy and the settings, before it is read."""

import math
from dataclasses import dataclass, replace

import psutil

from mmxcli.config import Settings
from mmxcli.errors import BudgetError
from mmxcli.models.anatomy import QUANTS, Anatomy, Quant
from mmxcli.models.shape import FAMILIES
from mmxcli.state.sizes import PAGE, SINKS

ROOM_FOR_ANSWER = 2_048  # tokens of the trained window that passages, question and answer may take
SOFTMAX_WINDOW = 1_024  # tokens that a model of softmax layers alone keeps: steady speed, at little cost in perplexity
PROGRAM_BYTES = 290 << 20  # the interpreter, torch and a tokenizer: 270 to 320 MiB were measured
ACTIVATION_BYTES = 32 << 20  # of one chunk, where nothing tells more (models/forecast.py)
FULL_CHUNK, MOST_CHUNK = 512, 8_192  # tokens: where more bring no speed to a dense model, and the most at all
GPU_CHUNK = 2_048  # instead of FULL_CHUNK: a GPU takes more rows to be full. Assumed, and not measured yet
COMPILER_BYTES = 108 << 20  # Numba, and what it has compiled
QUESTION_BYTES = 320 << 20  # the interpreter, a tokenizer, Numba, and what a question takes: 280 to 310 MiB measured
EIGHT_BITS = 17 / 16  # bytes of a weight: its code, and its part in the scale of 64
INT8_SHARE = 0.53  # a byte for two, and a scale for each head


@dataclass(frozen=True, slots=True)
class Policy:
    """`stored_bytes`: size of the weights on disk, which is that in memory when they stay as they are. `copied`:
    whether their copy in 8 bits is there already, so that questions alone need nothing else. `widens`: the processor
    computes them faster in float32 (models/load.py)."""

    settings: Settings
    anatomy: Anatomy
    stored_bytes: int
    copied: bool = False
    widens: bool = False

    @property
    def quant(self) -> Quant:
        """What the weights are kept in: as the person asked or, in auto mode, in float32 where they are computed sooner
        so, else as they are, else in 8 bits, else in 4: the first that fits the memory with a question's own state.
        What rounds them changes what the model says, so it is always told.

        What fits in none of them stays as it is: then weights are at least not unpacked into memory, but read where
        they lie.
        """
        if self.settings.quant != "auto":
            return self.settings.quant
        wider: tuple[Quant, ...] = ("float32",) if self.widens and self.settings.device == "cpu" else ()
        fitting = (quant for quant in (*wider, *QUANTS) if self._with(quant)._bytes(quant, 0, "memory") <= self.budget)
        return next(fitting, "none")

    def _with(self, quant: Quant) -> "Policy":
        return replace(self, settings=replace(self.settings, quant=quant))

    @property
    def budget(self) -> int:
        """Bytes of memory that there are for all of it, on the device that computes."""
        return self.settings.memory or self._there(in_all=False)

    @property
    def chunk(self) -> int:
        """Tokens that are read in one step: as the person asked, else as many as keep the products of the largest
        matrices full, rows of all the experts together. Weights that no memory holds are read from disk again for
        every chunk, so that chunks are as large as they can be.

        Follows from the model and the machine alone and not from the moment: a reading goes on with the same cuts.
        """
        if self.settings.chunk is not None:
            return self.settings.chunk
        memory = self.settings.memory or self._there(in_all=True)
        quants = QUANTS if self.settings.quant == "auto" else (self.settings.quant,)
        if all(self.weight_bytes(quant) > memory for quant in quants):
            return MOST_CHUNK
        used = max(1 / 16, 1 - self.anatomy.idle_share)
        full = FULL_CHUNK if self.settings.device == "cpu" else GPU_CHUNK
        return min(MOST_CHUNK, full << int(math.log2(1 / used)))

    def _there(self, *, in_all: bool) -> int:
        """Bytes of memory, the GPU's where one computes: free now, or in all."""
        if self.settings.device == "cpu":
            memory = psutil.virtual_memory()
            return int(memory.total if in_all else memory.available)
        from mmxcli.models.gpu import memory_of

        free, total = memory_of(self.settings.device)
        return total if in_all else free

    def writes_in_8_bits(self, tokens: int) -> bool:
        """Whether answers about so many tokens are written with a copy of the weights in 8 bits, which is several times
        as fast: for the networks that models/kernels.py computes, where the memory carries both."""
        computed = self.anatomy.family in FAMILIES and self.anatomy.memory == "softmax"
        if self.settings.device != "cpu" or not computed or self.quant != "none":
            return False
        return self._peak_with_copy(tokens, "memory", ACTIVATION_BYTES) <= self.budget

    def _peak_with_copy(self, tokens: int, store: str, activations: int) -> int:
        if self.copied and self.mode(tokens) == "recall":
            return QUESTION_BYTES + int(self.anatomy.parameters * EIGHT_BITS)
        return self._bytes("none", tokens, store, activations) + self._writing_bytes(tokens)

    def _writing_bytes(self, tokens: int) -> int:
        """By which such writing adds to the memory: the compiler, the copy, a question's keys and values in float32. Of
        embedding and head no more is then used than some rows, which for weights in float32 is more than the copy."""
        head = self.stored_bytes * self.anatomy.embedding_parameters // max(1, self.anatomy.parameters)
        state = 2 * self._fork_bytes(tokens, "memory") if self.mode(tokens) == "full" else 0
        return COMPILER_BYTES + int(self.anatomy.parameters * EIGHT_BITS) - head + state

    def weight_bytes(self, quant: Quant) -> int:
        """In memory, of what reads."""
        return self.stored_bytes if quant == "none" else self.anatomy.weight_bytes(quant)

    def mode(self, tokens: int) -> str:
        """ "full" or "recall", as the person asked or, in auto mode, full where the model's memory carries it."""
        if self.settings.read != "auto":
            return self.settings.read
        return "full" if self.fits(tokens) else "recall"

    def fits(self, tokens: int) -> bool:
        """Whether a full reading of so many tokens forgets nothing but what a recurrence forgets, and leaves room
        for an answer in the trained window. A model of softmax layers alone is held to its `window`."""
        return tokens <= self._kept

    @property
    def _kept(self) -> int:
        """Tokens that softmax layers keep at most."""
        trained = self.anatomy.trained_window
        kept = max(16, trained - ROOM_FOR_ANSWER) if trained is not None else 10**15
        asked = self.settings.window
        if self.anatomy.memory == "softmax":
            asked = asked or SOFTMAX_WINDOW
        return kept if asked is None else min(kept, asked)

    def window(self, tokens: int) -> int | None:
        """How many tokens stay visible to softmax layers in a full reading; None: all."""
        return None if self.fits(tokens) or self.anatomy.memory == "recurrent" else self._kept

    def memory(self, mode: str, tokens: int) -> str:
        """The kind of memory that answers: recurrent, hybrid, windowed or full."""
        if self.anatomy.memory != "softmax":
            return self.anatomy.memory
        return "windowed" if mode == "full" and self.window(tokens) is not None else "full"

    def store(self, tokens: int) -> str:
        """How keys and values of a reading are kept (mmxcli/state/pages.py): as the person asked or, in auto mode, in
        memory where they fit the budget, else mapped from disk. Both are exact."""
        if self.settings.kv_cache != "auto":
            return self.settings.kv_cache
        if self.window(tokens) is not None:
            return "memory"  # a window is no pages
        return "memory" if self.peak_bytes(tokens) <= self.budget or not self.settings.cache else "disk"

    def describe(self, tokens: int) -> str:
        """One line on what a full reading will do."""
        kept, read = self.window(tokens), f"reading all {tokens:,} tokens through the model, which"
        if self.anatomy.memory == "recurrent":
            return f"{read} keeps them in a state of fixed size"
        recurrent = " and its recurrent state" if self.anatomy.memory == "hybrid" else ""
        if kept is not None:
            return f"{read} keeps the first {SINKS} and the last {kept:,}{recurrent}; recall keeps the rest"
        stores = {"memory": "", "disk": ", mapped from disk", "int8": ", rounded to 8 bits"}
        return f"{read} keeps every one{stores[self.store(tokens)]}{recurrent}"

    def kept_bytes(self, tokens: int, store: str = "memory") -> int:
        """Keys and values of all tokens that softmax layers still see after so many, wherever they are kept."""
        return self._pair_bytes(self.window(tokens) or tokens, store)

    def state_bytes(self, tokens: int, store: str = "memory") -> int:
        """Memory of a state that has read so many tokens, and the prompt around them. Full pages that are mapped from
        disk take none that the system could not have back."""
        kept = self._room(tokens)
        if store == "disk":
            kept = min(kept, PAGE)
        return self.anatomy.state_bytes_fixed + self._pair_bytes(kept, store)

    def _fork_bytes(self, tokens: int, store: str) -> int:
        """Memory of the copy that a question works on: it shares full pages with the state itself."""
        kept = self._room(tokens)
        if self.window(tokens) is None:
            kept = min(kept, PAGE)
        return self.anatomy.state_bytes_fixed + self._pair_bytes(kept, store)

    def _room(self, tokens: int) -> int:
        """Tokens that the softmax layers of a state that has read `tokens` have room for (state/window.py)."""
        kept = self.window(tokens)
        return tokens + ROOM_FOR_ANSWER if kept is None else kept + max(ROOM_FOR_ANSWER, kept // 2)

    def _pair_bytes(self, tokens: int, store: str) -> int:
        share = INT8_SHARE if store == "int8" else 2 if self.quant == "float32" else 1
        return int(tokens * self.anatomy.state_bytes_per_token * share)

    def peak_bytes(self, tokens: int, store: str = "memory", activations: int = ACTIVATION_BYTES) -> int:
        """Estimated peak memory: program, weights, activations, the state, and a question's own."""
        if self.writes_in_8_bits(tokens):
            return self._peak_with_copy(tokens, store, activations)
        return self._bytes(self.quant, tokens, store, activations)

    def _bytes(self, quant: Quant, tokens: int, store: str, activations: int = ACTIVATION_BYTES) -> int:
        beside = activations + self.state_bytes(tokens, store) + self._fork_bytes(tokens, store)
        if quant == "float32":  # while they are widened, the weights are there as they are stored too
            beside = max(beside, self.stored_bytes)
        return PROGRAM_BYTES + self.weight_bytes(quant) + beside

    def check_budget(self, tokens: int) -> None:
        """Raises BudgetError where the estimate exceeds the `memory` setting."""
        budget, needed = self.settings.memory, self.peak_bytes(tokens, self.store(tokens))
        if budget is not None and needed > budget:
            raise BudgetError(
                f"{self.settings.model} needs about {needed / 2**20:,.0f} MiB, over the budget of "
                f"{budget / 2**20:,.0f} MiB: choose a smaller model with -m, or a smaller --window"
            )
