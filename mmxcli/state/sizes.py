"""Sizes in tokens that those need too who hold no state, and import no torch."""

PAGE = 4096  # tokens of a full page of keys and values
SINKS = 4  # a softmax model falls apart when it can no longer see its first tokens (arXiv 2309.17453, section 3.2)
