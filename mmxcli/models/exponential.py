"""The exponential function, in a form that the compiler can do for many numbers at once."""

from typing import Any

import numpy as np

from mmxcli.models.jitted import plain
from mmxcli.models.tiles import larger, power_of_two


@plain
def exp(x: Any) -> Any:
    """Of a float32 number, to 2e-7 of itself; beyond 87 and below -87 that of these."""
    x = -larger(-larger(x, np.float32(-87)), np.float32(-87))
    power = np.floor(x * np.float32(1.44269504) + np.float32(0.5))
    rest = x - power * np.float32(0.693359375) + power * np.float32(2.12194440e-4)
    found = np.float32(1.9875691500e-4)
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        found = found * rest + np.float32(coefficient)
    return (found * rest * rest + rest + np.float32(1)) * power_of_two(np.int32(power))
