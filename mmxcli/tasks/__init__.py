"""What a person wants done. Each task is a generator of typed events; none of them prints."""
