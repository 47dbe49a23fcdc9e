"""Sums of products in the processor's vector registers: what Numba has no words for.

Some rows meet some vectors of outputs at a time: the sums of all of them stay in registers, LANES outputs in each, and
every number that is loaded is used several times. The vectors are LLVM's own, as wide as the processor's, so that it
finds the instructions of any processor for them (on x86, vpmaddwd or vpdpwssd).

The order of all sums is given, so that a row gets the same, bit for bit, however many others are beside it.

Numba takes what it has compiled as long as the file of the function that was compiled is as it was: who changes this
file touches kernels.py and tiled_attention.py too.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

WIDE = "avx512bw"  # vpmaddwd of 512 bits
# Or LLVM parts wide vectors again, for processors that slow down under them, and vpdpwssd into product and sum, which
# is sooner done only where there is nothing else to do.
UNHINDERED = ",-prefer-256-bit,+fast-dpwssd"


def features() -> str:
    """What the processor can do, in LLVM's words, as far as Numba may use it."""
    chosen = config.CPU_FEATURES
    return str(binding.get_host_cpu_features().flatten() if chosen is None else chosen)


def is_wide() -> bool:
    return f"+{WIDE}" in features().split(",")


LANES = 16 if is_wide() else 8
PANEL = 64  # outputs of a matrix that are kept side by side
_BYTE, _SHORT, _INT = ir.IntType(8), ir.IntType(16), ir.IntType(32)
_INTS, _FLOATS = ir.VectorType(_INT, LANES), ir.VectorType(ir.FloatType(), LANES)
Emit = tuple[Any, Callable[..., Any]]


def vectors(rows: int) -> int:
    """Of outputs, beside so many rows: what fits the registers, 32 of 512 bits or 16 of 256."""
    return PANEL // LANES if is_wide() else {1: 8, 2: 4}.get(rows, 2)


class Sums(types.Type):  # type: ignore[misc]
    """Of so many rows, each with so many vectors of LANES outputs, in 32 bits: an LLVM array of vectors."""

    def __init__(self, rows: int, vectors: int) -> None:
        self.rows, self.vectors = rows, vectors
        super().__init__(name=f"Sums({rows}, {vectors})")


@register_model(Sums)
class _SumsModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Sums) -> None:
        super().__init__(manager, of, ir.ArrayType(_INTS, of.rows * of.vectors))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def no_sums(_: Any, rows: Any, vectors: Any) -> Emit:
    """Zeros, for numbers that are known when this is compiled."""
    kind = Sums(rows.literal_value, vectors.literal_value)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.ArrayType(_INTS, kind.rows * kind.vectors), None)

    return kind(rows, vectors), emit


@intrinsic  # type: ignore[untyped-decorator]
def add_products(_: Any, sums: Any, codes: Any, place: Any, rows: Any, start: Any, width: Any) -> Emit:
    """`sums` with two products each added: of two inputs of every row, at `start` of `rows` and `width` after each
    other, and the two codes of every output that belong to these inputs, from `place` on.

    codes int8 and rows int16 are flat and contiguous, and as in all that follows not checked for their ends.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found, codes, place, rows, start, width = arguments
        weights = pointer(context, builder, signature.args[1], codes, place)
        taken = [_load(builder, weights, vector) for vector in range(sums.vectors)]
        inputs = pointer(context, builder, signature.args[3], rows, start)
        for row in range(sums.rows):
            both = _everywhere(builder, inputs)
            for vector in range(sums.vectors):
                at = row * sums.vectors + vector
                products = _pairs(builder, taken[vector], both)
                found = builder.insert_value(found, builder.add(builder.extract_value(found, at), products), at)
            inputs = builder.gep(inputs, [width])
        return found

    size = types.intp
    return sums(sums, codes, size, rows, size, size), emit


@intrinsic  # type: ignore[untyped-decorator]
def add_scaled(_: Any, sums: Any, scales: Any, scale: Any, totals: Any, place: Any) -> Emit:
    """Adds the sums, each output's times its scale, to totals, float32, whose rows are PANEL after each other. `scale`
    and `place` are where those of the first output stand."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found, scales, scale, totals, place = arguments
        factors = pointer(context, builder, signature.args[1], scales, scale)
        into = pointer(context, builder, signature.args[3], totals, place)
        for row in range(sums.rows):
            for vector in range(sums.vectors):
                step = [cgutils.intp_t(vector * LANES)]
                factor = builder.load(builder.bitcast(builder.gep(factors, step), _FLOATS.as_pointer()), align=4)
                there = builder.bitcast(builder.gep(into, step), _FLOATS.as_pointer())
                some = builder.sitofp(builder.extract_value(found, row * sums.vectors + vector), _FLOATS)
                some = builder.fmul(some, factor, flags=("contract",))
                total = builder.fadd(builder.load(there, align=4), some, flags=("contract",))
                builder.store(total, there, align=4)
            into = builder.gep(into, [cgutils.intp_t(PANEL)])
        return context.get_dummy_value()

    return types.void(sums, scales, types.intp, totals, types.intp), emit


def pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _load(builder: Any, codes: Any, vector: int) -> Any:
    """Two codes of each of LANES outputs, widened to 32 bits."""
    kind = ir.VectorType(_BYTE, 2 * LANES)
    start = builder.gep(codes, [cgutils.intp_t(2 * LANES * vector)])
    return builder.sext(
        builder.load(builder.bitcast(start, kind.as_pointer()), align=1), ir.VectorType(_INT, 2 * LANES)
    )


def _everywhere(builder: Any, inputs: Any) -> Any:
    """Two inputs, for each output, widened to 32 bits."""
    both = builder.load(builder.bitcast(inputs, _INT.as_pointer()), align=2)
    nothing = ir.Constant(_INTS, ir.Undefined)
    places = ir.Constant(_INTS, None)
    spread = builder.shuffle_vector(builder.insert_element(nothing, both, _INT(0)), nothing, places)
    return builder.sext(builder.bitcast(spread, ir.VectorType(_SHORT, 2 * LANES)), ir.VectorType(_INT, 2 * LANES))


def _pairs(builder: Any, some: Any, others: Any) -> Any:
    """The products, added in pairs."""
    products = builder.mul(some, others, flags=("nsw",))
    kind = ir.VectorType(_INT, LANES)
    places = [ir.Constant(kind, list(range(first, 2 * LANES, 2))) for first in (0, 1)]
    return builder.add(*(builder.shuffle_vector(products, products, some) for some in places))
