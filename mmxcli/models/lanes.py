"""Sums of products in the processor's vector registers: what Numba has no words for.

Left to itself the compiler adds up each group of products before it scales it, and reads a group of weights again for
every row. Here the sums of several rows stay in registers, LANES partial sums for each, until the end of a row of the
matrix. The vectors are LLVM's own, so that it finds the instructions of any processor for them (on x86, vpmaddwd); they
are as wide as the processor's.

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
UNHINDERED = ",-prefer-256-bit"  # or LLVM parts wide vectors again, for processors that slow down under them


def features() -> str:
    """What the processor can do, in LLVM's words, as far as Numba may use it."""
    chosen = config.CPU_FEATURES
    return str(binding.get_host_cpu_features().flatten() if chosen is None else chosen)


def is_wide() -> bool:
    return f"+{WIDE}" in features().split(",")


LANES = 16 if is_wide() else 8  # partial sums for each row
TAKEN = 2 * LANES  # products that are added to them at a time
_BYTE, _SHORT, _INT = ir.IntType(8), ir.IntType(16), ir.IntType(32)
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
Emit = tuple[Any, Callable[..., Any]]


class Sums(types.Type):  # type: ignore[misc]
    """Of so many rows: an LLVM array of vectors."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        super().__init__(name=f"Sums({rows})")


@register_model(Sums)
class _SumsModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Sums) -> None:
        super().__init__(manager, of, ir.ArrayType(_FLOATS, of.rows))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def no_sums(_: Any, rows: Any) -> Emit:
    """Zeros, for a number of rows that is known when this is compiled."""
    kind = Sums(rows.literal_value)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.ArrayType(_FLOATS, kind.rows), None)

    return kind(rows), emit


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def add_products(
    _: Any, sums: Any, count: Any, codes: Any, place: Any, scale: Any, rows: Any, start: Any, width: Any
) -> Emit:
    """`sums` with scale times the `count` products of codes[place:] and rows[start:], rows[start + width:], ... added.

    codes int8 and rows int16 are flat and contiguous, and not checked for their ends; count, known when this is
    compiled, is a multiple of TAKEN, and so small that the sum of the products fits 32 bits.
    """

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found, _, codes, place, scale, rows, start, width = arguments
        weights = _pointer(context, builder, signature.args[2], codes, place)
        inputs = _pointer(context, builder, signature.args[5], rows, start)
        steps = range(0, count.literal_value, TAKEN)
        taken = [_load(builder, weights, _BYTE, step) for step in steps]
        scales = _everywhere(builder, scale)
        for row in range(sums.rows):
            others = [_load(builder, inputs, _SHORT, step) for step in steps]
            products = [_pairs(builder, *both) for both in zip(taken, others, strict=True)]
            some = builder.fmul(builder.sitofp(reduce(builder.add, products), _FLOATS), scales, flags=("contract",))
            total = builder.fadd(builder.extract_value(found, row), some, flags=("contract",))
            found = builder.insert_value(found, total, row)
            inputs = builder.gep(inputs, [width])
        return found

    size = types.intp
    return sums(sums, count, codes, size, types.float32, rows, size, size), emit


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def put_sums(_: Any, sums: Any, into: Any) -> Emit:
    """The sum of each row into the first elements of `into`, a contiguous float32 array with room for them."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = _pointer(context, builder, signature.args[1], arguments[1], cgutils.intp_t(0))
        for row in range(sums.rows):
            lanes = builder.extract_value(arguments[0], row)
            while lanes.type.count > 1:
                lanes = builder.fadd(_every_second(builder, lanes, 0), _every_second(builder, lanes, 1))
            total = builder.extract_element(lanes, _INT(0))
            builder.store(total, builder.gep(places, [cgutils.intp_t(row)]))
        return context.get_dummy_value()

    return types.void(sums, into), emit


def _pointer(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
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
    return builder.add(_every_second(builder, products, 0), _every_second(builder, products, 1))


def _every_second(builder: Any, vector: Any, first: int) -> Any:
    count = vector.type.count
    places = ir.Constant(ir.VectorType(_INT, count // 2), list(range(first, count, 2)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)


def _everywhere(builder: Any, scale: Any) -> Any:
    nothing = ir.Constant(_FLOATS, ir.Undefined)
    places = ir.Constant(ir.VectorType(_INT, LANES), None)
    return builder.shuffle_vector(builder.insert_element(nothing, scale, _INT(0)), nothing, places)
