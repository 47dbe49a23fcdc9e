"""Sums of products in the processor's vector registers: what Numba has no words for.

Left to itself the compiler adds up each group of products before it scales it, and reads a group of weights again for
every row. Here the sums of several rows, each times one or two rows of the matrix, stay in registers, LANES partial
sums for each, until the end of a row of the matrix. The vectors are LLVM's own, as wide as the processor's, so that it
finds the instructions of any processor for them (on x86, vpmaddwd or vpdpwssd).

The order of all sums is given, so that a row gets the same, bit for bit, however many others are beside it.

Numba takes what it has compiled as long as the file of the function that was compiled is as it was: who changes this
file touches kernels.py too.
"""

from collections.abc import Callable
from functools import reduce
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


LANES = 16 if is_wide() else 8  # partial sums for each row
OUTPUTS = 2 if is_wide() else 1  # rows of the matrix at a time, beside several rows: what fits the registers
TAKEN = 2 * LANES  # products that are added to them at a time
_BYTE, _SHORT, _INT = ir.IntType(8), ir.IntType(16), ir.IntType(32)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
Emit = tuple[Any, Callable[..., Any]]


class Sums(types.Type):  # type: ignore[misc]
    """Of so many rows, each with so many rows of the matrix: an LLVM array of vectors."""

    def __init__(self, rows: int, outputs: int) -> None:
        self.rows, self.outputs, self.count = rows, outputs, rows * outputs
        super().__init__(name=f"Sums({rows}, {outputs})")


@register_model(Sums)
class _SumsModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Sums) -> None:
        super().__init__(manager, of, ir.ArrayType(_FLOATS, of.count))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def no_sums(_: Any, rows: Any, outputs: Any) -> Emit:
    """Zeros, for numbers of rows and rows of the matrix, one or two, that are known when this is compiled."""
    kind = Sums(rows.literal_value, outputs.literal_value)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.ArrayType(_FLOATS, kind.count), None)

    return kind(rows, outputs), emit


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def add_products(
    _: Any, sums: Any, count: Any, codes: Any, places: Any, scales: Any, rows: Any, start: Any, width: Any
) -> Emit:
    """`sums` with the first of two scales times the `count` products of codes[places[0]:] and rows[start:],
    rows[start + width:], ... added, and where they are of two rows of the matrix, the second times those of
    codes[places[1]:].

    codes int8 and rows int16 are flat and contiguous, and not checked for their ends; count, known when this is
    compiled, is a multiple of TAKEN, and so small that the sum of the products fits 32 bits.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found, _, codes, places, scales, rows, start, width = arguments
        steps = range(0, count.literal_value, TAKEN)
        for output in range(sums.outputs):
            weights = pointer(context, builder, signature.args[2], codes, builder.extract_value(places, output))
            taken = [_load(builder, weights, _BYTE, step) for step in steps]
            scale = _everywhere(builder, builder.extract_value(scales, output))
            inputs = pointer(context, builder, signature.args[5], rows, start)
            for row in range(sums.rows):
                others = [_load(builder, inputs, _SHORT, step) for step in steps]
                products = [_pairs(builder, *both) for both in zip(taken, others, strict=True)]
                some = builder.fmul(builder.sitofp(reduce(builder.add, products), _FLOATS), scale, flags=("contract",))
                place = row * sums.outputs + output
                total = builder.fadd(builder.extract_value(found, place), some, flags=("contract",))
                found = builder.insert_value(found, total, place)
                inputs = builder.gep(inputs, [width])
        return found

    size = types.intp
    two = types.UniTuple
    return sums(sums, count, codes, two(size, 2), two(types.float32, 2), rows, size, size), emit


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def put_sums(_: Any, sums: Any, into: Any) -> Emit:
    """The sums of each row, at most LANES in all, into the first elements of `into`, a contiguous float32 array with
    room for them.

    Neighbours are added, of two vectors at a time as long as there are two, so that every sum is made in the same
    order."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = pointer(context, builder, signature.args[1], arguments[1], cgutils.intp_t(0))
        left = [builder.extract_value(arguments[0], place) for place in range(sums.count)]
        while len(left) > 1:
            left = [_neighbours(builder, *pair, LANES) for pair in zip(left[::2], left[1::2], strict=True)]
        found = left[0]
        while found.type.count > sums.count:
            found = _neighbours(builder, found, found, found.type.count // 2)
        builder.store(found, builder.bitcast(places, found.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(sums, into), emit


def pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [place])


def _load(builder: Any, pointer: Any, kind: Any, step: int) -> Any:
    """TAKEN numbers, widened to 32 bits."""
    vector = ir.VectorType(kind, TAKEN)
    loaded = builder.load(builder.bitcast(builder.gep(pointer, [cgutils.intp_t(step)]), vector.as_pointer()))
    loaded.align = 1
    return builder.sext(loaded, ir.VectorType(_INT, TAKEN))


def _pairs(builder: Any, some: Any, others: Any) -> Any:
    """The products, added in pairs."""
    products = builder.mul(some, others, flags=("nsw",))
    places = [ir.Constant(ir.VectorType(_INT, LANES), list(range(first, TAKEN, 2))) for first in (0, 1)]
    return builder.add(*(builder.shuffle_vector(products, products, some) for some in places))


def _neighbours(builder: Any, one: Any, other: Any, count: int) -> Any:
    """The first `count` sums of two neighbours each in two vectors, as if they were one."""
    places = [ir.Constant(ir.VectorType(_INT, count), list(range(first, 2 * count, 2))) for first in (0, 1)]
    return builder.fadd(*(builder.shuffle_vector(one, other, some) for some in places))


def _everywhere(builder: Any, scale: Any) -> Any:
    nothing = ir.Constant(_FLOATS, ir.Undefined)
    places = ir.Constant(ir.VectorType(_INT, LANES), None)
    return builder.shuffle_vector(builder.insert_element(nothing, scale, _INT(0)), nothing, places)
