"""How long idle threads look for more to do before they sleep."""

from collections.abc import Mapping, MutableMapping

# Read by libgomp, by which torch's and Numba's threads wait: some 0.3 ms, and not 10. Beside four other programs on two
# cores that reads prompts half again as fast or faster, and writes twice (docs/benchmarks.md).
VARIABLE, SPINS = "GOMP_SPINCOUNT", "10000"


def shorten(environ: MutableMapping[str, str]) -> None:
    """Unless somebody said otherwise; to be done before such a library is loaded."""
    if "OMP_WAIT_POLICY" not in environ:
        environ.setdefault(VARIABLE, SPINS)


def unshortened(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy for programs that are not ours."""
    return {name: value for name, value in environ.items() if (name, value) != (VARIABLE, SPINS)}
