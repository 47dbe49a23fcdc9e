"""Commands: parse, make one call, let one place turn errors into exit codes."""
