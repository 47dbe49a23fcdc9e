"""How functions are compiled by Numba: once, kept, and without Python's lock."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def plain(function: Function) -> Function:
    return njit(fastmath=True, nogil=True, cache=True, error_model="numpy")(function)  # type: ignore[no-any-return]


def in_order(function: Function) -> Function:
    """Sums are made in the order that is written."""
    return njit(fastmath={"contract"}, nogil=True, cache=True, error_model="numpy")(function)  # type: ignore[no-any-return]


def parallel(function: Function) -> Function:
    return njit(fastmath=True, nogil=True, cache=True, parallel=True, error_model="numpy")(function)  # type: ignore[no-any-return]
