"""Running a library module's own forward with one of the functions it calls replaced."""

import inspect
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from torch import nn


def rebind(module: nn.Module, **functions: Callable[..., Any]) -> None:
    """Lets `module`, and no other, call these functions where its forward says their names.

    Modifies `module`. So a repair replaces what is wrong and nothing else, and the library stays as it is for
    whoever else uses it. Raises KeyError for a name that the library no longer has.
    """
    forward = inspect.unwrap(type(module).forward)
    for name in functions:
        if name not in forward.__globals__ or name not in forward.__code__.co_names:
            raise KeyError(f"{type(module).__name__}.forward does not call {name}")
    twin = FunctionType(
        forward.__code__, forward.__globals__ | functions, forward.__name__, forward.__defaults__, forward.__closure__
    )
    twin.__kwdefaults__ = forward.__kwdefaults__
    module.forward = MethodType(twin, module)
