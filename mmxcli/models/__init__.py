"""Models: where their weights come from, how they are laid out, and one forward pass over a chunk."""
