"""A process that stays ready for the next commands, and how they reach it."""
