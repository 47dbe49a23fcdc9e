"""Models that transformers' own classes compute, with a state that is ours."""
