"""How long idle threads look for more to do before they sleep."""

from collections.abc import Mapping, MutableMapping

# Read by libgomp, by which torch's and Numba's threads wait: some 0.3 ms, and not 10. Beside other programs on the same
# two cores the latter made reading a prompt two and a half times as slow, and writing five times (docs/benchmarks.md).
VARIABLE, SPINS = "GOMP_SPINCOUNT", "10000"


def shorten(environ: MutableMapping[str, str]) -> None:
    """Unless somebody said otherwise; to be done before such a library is loaded."""
    if "OMP_WAIT_POLICY" not in environ:
        environ.setdefault(VARIABLE, SPINS)


def unshortened(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy for programs that are not ours."""
    return {name: value for name, value in environ.items() if (name, value) != (VARIABLE, SPINS)}
