"""What a full reading would take on this machine: memory, and time."""

from dataclasses import dataclass

from mmxcli.libraries import PRODUCTS
from mmxcli.models.blueprint import Blueprint
from mmxcli.models.foreseen import foreseen
from mmxcli.models.threads import threads
from mmxcli.reading.policy import Policy

# Measured with benchmarks/plan.py. Freed blocks of other sizes lie between those in use; transformers and what it
# imports; a compiled product in bfloat16, of which a dense model needs some, and experts all that are kept.
HOLES, LIBRARY_BYTES, PRODUCT_BYTES, DENSE_PRODUCTS = 2.5, 120 << 20, 3 << 20, 20
DISK_BYTES_PER_S = 2 * 10**9  # assumed of a solid-state disk; what is streamed from another takes another time


@dataclass(frozen=True, slots=True)
class Outlook:
    """`fits`: all of it fits into the memory there is. `possible`: at least what cannot be read from disk again and
    again does. `peak_bytes`: with all weights in memory.

    `seconds` is the sum of `compute_s` and `disk_s`: of weights that do not fit, each chunk reads all again, and of
    keys and values on disk all that there are. Indexing, checkpoints and answers are not counted.
    """

    peak_bytes: int
    fits: bool
    possible: bool
    compute_s: float
    disk_s: float

    @property
    def seconds(self) -> float:
        return self.compute_s + self.disk_s


def look_ahead(blueprint: Blueprint, policy: Policy, tokens: int, *, anew: bool = False) -> Outlook:
    """For a text of so many tokens. Takes some seconds, most of them measuring, where that was not done today or is to
    be done `anew`.

    Raises ModelError where the model's attention cannot be given the window that was asked for.
    """
    quant, store, chunk = policy.quant, policy.store(tokens), policy.chunk
    settings = policy.settings
    found = foreseen(
        *(blueprint, quant, policy.window(tokens), store, chunk),
        folder=settings.weights_folder,
        threads=threads(settings.threads),
        anew=anew,
    )
    beside = int(HOLES * found.activation_bytes) + _code_bytes(blueprint)
    peak = policy.peak_bytes(tokens, store, beside)
    fits, weights = peak <= policy.budget, policy.weight_bytes(quant)
    streams = not fits and blueprint.mapped and quant == "none"
    again = 0.0
    if streams:  # all but embedding and head, of which reading needs a row a token
        again += weights * (1 - blueprint.anatomy.embedding_parameters / blueprint.anatomy.parameters)
    if store == "disk" and policy.peak_bytes(tokens, "memory", beside) > policy.budget:
        again += policy.kept_bytes(tokens, store) / 2
    return Outlook(
        peak_bytes=peak,
        fits=fits,
        possible=fits or (streams and peak - weights <= policy.budget),
        compute_s=found.seconds(tokens),
        disk_s=tokens / chunk * again / DISK_BYTES_PER_S,
    )


def _code_bytes(blueprint: Blueprint) -> int:
    """Of what computes it, beyond what every model needs."""
    from mmxcli.models.products import has_bfloat16, prefers_bfloat16

    experts, by_library = blueprint.anatomy.idle_share > 0.1, blueprint.by_library
    compiles = has_bfloat16() and blueprint.dtype == "bfloat16" if by_library else prefers_bfloat16()
    products = PRODUCTS if experts else DENSE_PRODUCTS * by_library
    return LIBRARY_BYTES * by_library + PRODUCT_BYTES * products * compiles
