"""What libraries that compute are told by variables, which they look at once, when they are loaded."""

from collections.abc import Mapping, MutableMapping

# How often idle threads of libgomp, by which torch's and Numba's wait, look for more to do before they sleep: some
# 0.3 ms, and not 10. Beside four other programs on two cores that reads prompts half again as fast or faster, and
# writes twice (docs/benchmarks.md).
SPINS = {"GOMP_SPINCOUNT": "10000"}
# How many compiled products are kept, by oneDNN and by torch itself. In bfloat16 there is one for every number of rows,
# of 0.6 to 3 MiB, and a thousand are kept if nobody says otherwise. A model's chunks need ten or twenty; what an expert
# or a question gets is another number every time.
PRODUCTS = 128
CACHES = dict.fromkeys(("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"), str(PRODUCTS))
# transformers loads weights in one thread and not in four: it takes no longer, and less memory is left over between the
# pieces that experts are put together of.
ALWAYS = CACHES | {"HF_DEACTIVATE_ASYNC_LOAD": "1"}


def tell(environ: MutableMapping[str, str]) -> None:
    """Unless somebody said otherwise; to be done before such a library is loaded."""
    told = ALWAYS if "OMP_WAIT_POLICY" in environ else SPINS | ALWAYS
    for name, value in told.items():
        environ.setdefault(name, value)


def untold(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy for programs that are not ours."""
    ours = SPINS | ALWAYS
    return {name: value for name, value in environ.items() if ours.get(name) != value}
