"""The second memory: exact passages, found again for a question. Knows text, not models."""
