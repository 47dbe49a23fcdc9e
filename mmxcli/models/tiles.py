"""Products whose sums stay in the processor's registers: what Numba has no words for.

A tile is some rows of vectors of sums. With 6 rows of 4 vectors, or of 2 where there are 16 registers, each number that
is loaded is used two to six times, and the instructions that multiply and add (of bfloat16 vdpbf16ps: two products in
each of 16 lanes) are all that the loop waits for.

Numba takes what it has compiled as long as the file of the function that was compiled is as it was: who changes this
file touches tiled_attention.py and kernels.py too.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from mmxcli.models.lanes import features, pointer

PAIRED_LANES = 16  # of a vector of bfloat16 products
Emit = tuple[Any, Callable[..., Any]]
_INT, _FLOAT = ir.IntType(32), ir.FloatType()
_INTS = ir.VectorType(_INT, PAIRED_LANES)


class _BFloat(ir.Type):  # type: ignore[misc]
    """LLVM has this type, llvmlite has no name for it."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


_PAIRS = ir.VectorType(_BFloat(), 2 * PAIRED_LANES)


def has_pairs() -> bool:
    """Whether the processor has the instructions for bfloat16, and none (AMX) that are faster than these."""
    told = features().split(",")
    return "+avx512bf16" in told and "+amx-bf16" not in told


def has_floats() -> bool:
    """Whether the processor multiplies and adds eight float32 numbers at once."""
    return {"+avx2", "+fma"} <= set(features().split(","))


class Tile(types.Type):  # type: ignore[misc]
    """float32 sums, `rows` of `vectors` times `lanes`: an LLVM array of vectors."""

    def __init__(self, rows: int, vectors: int, lanes: int) -> None:
        self.rows, self.vectors, self.lanes = rows, vectors, lanes
        self.floats = ir.VectorType(_FLOAT, lanes)
        super().__init__(name=f"Tile({rows}, {vectors}, {lanes})")


@register_model(Tile)
class _TileModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, of: Tile) -> None:
        super().__init__(manager, of, ir.ArrayType(of.floats, of.rows * of.vectors))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def no_tile(_: Any, rows: Any, vectors: Any, lanes: Any) -> Emit:
    """Zeros, for numbers that are known when this is compiled."""
    kind = Tile(rows.literal_value, vectors.literal_value, lanes.literal_value)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.ArrayType(kind.floats, kind.rows * kind.vectors), None)

    return kind(rows, vectors, lanes), emit


@intrinsic  # type: ignore[untyped-decorator]
def take_tile(_: Any, like: Any, source: Any, place: Any, stride: Any) -> Emit:
    """A tile of the size of `like` from `source`, float32, whose rows begin at `place` and `stride` after each other.
    As in all that follows, arrays are flat, contiguous, and not checked for their ends."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found, source, place, stride = arguments
        row = pointer(context, builder, signature.args[1], source, place)
        for at in range(like.rows):
            for vector in range(like.vectors):
                found = builder.insert_value(
                    found, _load(builder, row, vector, like.floats), at * like.vectors + vector
                )
            row = builder.gep(row, [stride])
        return found

    return like(like, source, types.intp, types.intp), emit


@intrinsic  # type: ignore[untyped-decorator]
def put_tile(_: Any, tile: Any, into: Any, place: Any, stride: Any) -> Emit:
    """The reverse of `take_tile`."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        taken, into, place, stride = arguments
        row = pointer(context, builder, signature.args[1], into, place)
        for at in range(tile.rows):
            for vector in range(tile.vectors):
                sums = builder.extract_value(taken, at * tile.vectors + vector)
                builder.store(sums, _vector(builder, row, vector, tile.floats), align=4)
            row = builder.gep(row, [stride])
        return context.get_dummy_value()

    return types.void(tile, into, types.intp, types.intp), emit


@intrinsic  # type: ignore[untyped-decorator]
def add_outer(_: Any, tile: Any, some: Any, place: Any, stride: Any, others: Any, other: Any) -> Emit:
    """`tile` with the product of a column and a row added: one element of `some` for each row, from `place` on,
    `stride` apart, and one of `others` for each lane, from `other` on. Elements are float32 numbers or, in an int32,
    pairs of bfloat16 numbers, whose two products are added."""
    numbers = tile.floats if others.dtype == types.float32 else _INTS

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def add_numbers(sums: Any, number: Any, lanes: Any) -> Any:
            product = builder.fmul(number, lanes, flags=("contract",))
            return builder.fadd(sums, product, flags=("contract",))

        def add_pairs(sums: Any, pair: Any, lanes: Any) -> Any:
            kind = ir.FunctionType(tile.floats, [tile.floats, _PAIRS, _PAIRS])
            function = builder.module.declare_intrinsic("llvm.x86.avx512bf16.dpbf16ps.512", (), kind)
            return builder.call(function, [sums, builder.bitcast(pair, _PAIRS), builder.bitcast(lanes, _PAIRS)])

        add = add_pairs if numbers is _INTS else add_numbers
        return _with_products(context, builder, signature, arguments, numbers, add)

    return tile(tile, some, types.intp, types.intp, others, types.intp), emit


@intrinsic  # type: ignore[untyped-decorator]
def holds(_: Any, array: Any) -> Emit:
    """How many numbers one of an array's elements is: known when this is compiled."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.intp_t(1 if array.dtype == types.float32 else 2)

    return types.intp(array), emit


@intrinsic  # type: ignore[untyped-decorator]
def kept(_: Any, number: Any, array: Any) -> Emit:
    """A float32 number as an array of such numbers keeps it, or one of int16: the bits of the nearest bfloat16."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if array.dtype == types.float32:
            return arguments[0]
        return builder.bitcast(builder.fptrunc(arguments[0], _BFloat()), ir.IntType(16))

    return array.dtype(types.float32, array), emit


@intrinsic  # type: ignore[untyped-decorator]
def larger(_: Any, one: Any, other: Any) -> Emit:
    """The larger of two numbers. Python's `max` takes them one after the other, whatever may be fast."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_FLOAT, [_FLOAT, _FLOAT])
        function = builder.module.declare_intrinsic("llvm.maxnum", (_FLOAT,), kind)
        return builder.call(function, arguments, fastmath=("nnan", "nsz"))

    return types.float32(types.float32, types.float32), emit


@intrinsic  # type: ignore[untyped-decorator]
def power_of_two(_: Any, exponent: Any) -> Emit:
    """2 to the power of a whole number from -126 to 127."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(builder.shl(builder.add(arguments[0], _INT(127)), _INT(23)), _FLOAT)

    return types.float32(types.int32), emit


def _with_products(
    context: Any, builder: Any, signature: Any, arguments: Any, numbers: Any, add: Callable[..., Any]
) -> Any:
    """The tile after `add` of each of its vectors of sums, a number of its row everywhere, and the lanes of its place:
    both vectors of the kind `numbers`."""
    found, some, place, stride, others, other = arguments
    tile = signature.args[0]
    start = pointer(context, builder, signature.args[4], others, other)
    lanes = [_load(builder, start, at, numbers) for at in range(tile.vectors)]
    row = pointer(context, builder, signature.args[1], some, place)
    for at in range(tile.rows):
        number = _everywhere(builder, builder.load(row), numbers)
        for vector in range(tile.vectors):
            sums = add(builder.extract_value(found, at * tile.vectors + vector), number, lanes[vector])
            found = builder.insert_value(found, sums, at * tile.vectors + vector)
        row = builder.gep(row, [stride])
    return found


def _vector(builder: Any, start: Any, number: int, kind: Any) -> Any:
    return builder.bitcast(builder.gep(start, [cgutils.intp_t(kind.count * number)]), kind.as_pointer())


def _load(builder: Any, start: Any, number: int, kind: Any) -> Any:
    return builder.load(_vector(builder, start, number, kind), align=4)


def _everywhere(builder: Any, number: Any, kind: Any) -> Any:
    nothing, places = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_INT, kind.count), None)
    return builder.shuffle_vector(builder.insert_element(nothing, number, _INT(0)), nothing, places)
