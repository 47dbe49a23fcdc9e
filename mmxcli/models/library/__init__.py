"""Models that transformers' own classes compute, with a state that is ours."""

import sys

# Where the package `kernels` is installed, the library fetches compiled code from a hub and runs it. Not here.
sys.modules["kernels"] = None  # type: ignore[assignment]
