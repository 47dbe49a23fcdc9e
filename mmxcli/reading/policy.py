"""How a text will be read: decided from its length, the model's anatomy and the settings, before it is read."""

from dataclasses import dataclass

import psutil

from mmxcli.config import Settings
from mmxcli.errors import BudgetError
from mmxcli.models.anatomy import QUANTS, Anatomy, Quant
from mmxcli.state.window import SINKS

ROOM_FOR_ANSWER = 2_048  # tokens of the trained window that passages, question and answer may take
SOFTMAX_WINDOW = 1_024  # tokens that a model of softmax layers alone keeps: steady speed, at little cost in perplexity
PROGRAM_BYTES = 350 << 20  # the interpreter, torch and one chunk's activations


@dataclass(frozen=True, slots=True)
class Policy:
    """`stored_bytes`: size of the weights on disk, which is that in memory when they stay as they are."""

    settings: Settings
    anatomy: Anatomy
    stored_bytes: int

    @property
    def quant(self) -> Quant:
        """What the weights are kept in: as the person asked or, in auto mode, as they are where that fits the memory
        with a question's own state, else 8 bits, else 4. That changes what the model says, so it is always told."""
        if self.settings.quant != "auto":
            return self.settings.quant
        fitting = (quant for quant in QUANTS if self._program_bytes(quant) + 2 * self.state_bytes(0) <= self._budget)
        return next(fitting, "nf4")

    @property
    def _budget(self) -> int:
        return self.settings.memory or int(psutil.virtual_memory().available)

    def _program_bytes(self, quant: Quant) -> int:
        return PROGRAM_BYTES + (self.stored_bytes if quant == "none" else self.anatomy.weight_bytes(quant))

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
        return "memory" if self.peak_bytes(tokens) <= self._budget or not self.settings.cache else "disk"

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

    def state_bytes(self, tokens: int, store: str = "memory") -> int:
        """Memory of a state that has read so many tokens, and the prompt around them."""
        kept = min(tokens, self._kept) + ROOM_FOR_ANSWER
        share = {"memory": 1.0, "disk": 0.0, "int8": 0.53}[store]  # int8: a byte for two, and a scale a head
        return self.anatomy.state_bytes_fixed + int(kept * self.anatomy.state_bytes_per_token * share)

    def peak_bytes(self, tokens: int, store: str = "memory") -> int:
        """Estimated peak memory: program, weights, and the state twice, because a question forks it."""
        return self._program_bytes(self.quant) + 2 * self.state_bytes(tokens, store)

    def check_budget(self, tokens: int) -> None:
        """Raises BudgetError where the estimate exceeds the `memory` setting."""
        budget, needed = self.settings.memory, self.peak_bytes(tokens, self.store(tokens))
        if budget is not None and needed > budget:
            raise BudgetError(
                f"{self.settings.model} needs about {needed / 2**30:.1f} GiB, over the budget of "
                f"{budget / 2**30:.1f} GiB: choose a smaller model with -m, or a smaller --window"
            )
