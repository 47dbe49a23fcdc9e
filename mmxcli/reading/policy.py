"""How a text will be read: decided from its length, the model's shape and the settings, before it is read."""

from dataclasses import dataclass

from mmxcli.config import Settings
from mmxcli.errors import BudgetError
from mmxcli.models.shape import Shape
from mmxcli.state.layer import AttentionState

ROOM_FOR_ANSWER = 2_048  # tokens of the trained window that passages, question and answer may take
PROGRAM_BYTES = 350 << 20  # the interpreter, torch and one chunk's activations


@dataclass(frozen=True, slots=True)
class Policy:
    """`weight_bytes`: size of the weights in memory."""

    settings: Settings
    shape: Shape
    weight_bytes: int

    def mode(self, tokens: int) -> str:
        """ "full" or "recall", as the person asked or, in auto mode, full where the model's memory carries it."""
        if self.settings.read != "auto":
            return self.settings.read
        return "full" if self.fits(tokens) else "recall"

    def fits(self, tokens: int) -> bool:
        """Whether the window holds a text of so many tokens, with room for an answer in the trained window."""
        return tokens <= min(self.settings.window, self.shape.trained_window - ROOM_FOR_ANSWER)

    def window(self, tokens: int) -> int | None:
        """How many tokens stay visible in a full reading; None: all."""
        return None if self.fits(tokens) else min(self.settings.window, self.shape.trained_window - ROOM_FOR_ANSWER)

    def memory(self, mode: str, tokens: int) -> str:
        """The kind of memory that answers: full, or windowed."""
        return "windowed" if mode == "full" and self.window(tokens) is not None else "full"

    def describe(self, tokens: int) -> str:
        if self.window(tokens) is None:
            return f"reading all {tokens:,} tokens through the model, which keeps every one"
        return (
            f"reading all {tokens:,} tokens through the model, which keeps the first {AttentionState.SINKS} and "
            f"the last {self.window(tokens):,}; recall keeps the rest"
        )

    def peak_bytes(self, tokens: int) -> int:
        """Estimated peak memory: program, weights, and keys and values twice, because a question forks them."""
        kept = min(tokens, self.settings.window) + ROOM_FOR_ANSWER
        return PROGRAM_BYTES + self.weight_bytes + 2 * kept * self.shape.state_bytes_per_token

    def check_budget(self, tokens: int) -> None:
        """Raises BudgetError where the estimate exceeds the `memory` setting."""
        budget, needed = self.settings.memory, self.peak_bytes(tokens)
        if budget is not None and needed > budget:
            raise BudgetError(
                f"{self.settings.model} needs about {needed / 2**30:.1f} GiB, over the budget of "
                f"{budget / 2**30:.1f} GiB: choose a smaller model with -m, or a smaller --window"
            )
