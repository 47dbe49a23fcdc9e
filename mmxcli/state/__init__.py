"""What a model remembers, in memory and on disk."""
