"""What a model costs and remembers, known from its config alone."""

from dataclasses import dataclass
from typing import Literal

Memory = Literal["recurrent", "hybrid", "softmax"]
Quant = Literal["float32", "none", "int8", "nf4"]
QUANTS: tuple[Quant, ...] = ("none", "int8", "nf4")  # in which weights of 16 bits are no larger than they are


@dataclass(frozen=True, slots=True)
class Anatomy:
    """`memory`: recurrent layers only, both kinds, or softmax attention only.

    `trained_window` is in tokens; None where no position is ever counted. `parameters` are all weights,
    `parameters_per_token` those that a token is multiplied with while reading: without embedding and head, and of
    experts only the chosen ones. `embedding_parameters` are those of the input embedding and the head.
    `state_bytes_fixed` does not grow with the text: recurrences, convolutions, and the windows of layers trained
    with one. `state_bytes_per_token` is what the softmax layers that see everything add.
    """

    family: str
    memory: Memory
    trained_window: int | None
    parameters: int
    parameters_per_token: int
    embedding_parameters: int
    state_bytes_fixed: int
    state_bytes_per_token: int

    @property
    def idle_share(self) -> float:
        """Of the weights inside, those that a token does not use: experts that were not chosen."""
        return 1 - min(1.0, self.parameters_per_token / max(1, self.parameters - self.embedding_parameters))

    def weight_bytes(self, quant: Quant) -> int:
        """Bytes of the weights in memory: float32 all of them, else embedding and head in bfloat16; the others too with
        "none", in 8 bits with "int8", in 4 with "nf4", with a float32 scale for 64 of them (or, in 8 bits on some
        processors, for a row)."""
        if quant == "float32":
            return 4 * self.parameters
        inside = self.parameters - self.embedding_parameters
        sixteenths = {"none": 32, "int8": 17, "nf4": 9}[quant]
        return 2 * self.embedding_parameters + inside * sixteenths // 16
