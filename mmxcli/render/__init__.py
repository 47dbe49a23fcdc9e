"""The only floor that prints: answers to standard output, everything else to standard error."""
