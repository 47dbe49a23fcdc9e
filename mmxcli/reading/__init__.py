"""From text to a state, and from a state to text."""
