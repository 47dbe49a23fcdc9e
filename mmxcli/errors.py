"""Everything that mmx raises on purpose, with the exit code that a person's script will see."""


class MmxError(Exception):
    """One line that says what is wrong with which thing, and what to do. Exit code 1: failed."""

    exit_code = 1


class UsageError(MmxError):
    """The command line or a setting is off."""

    exit_code = 2


class InputError(MmxError):
    """Nothing of what was named could be read or, with --strict, some of it could not."""

    exit_code = 3


class BudgetError(MmxError):
    """The work would not fit the memory or token budget."""

    exit_code = 4


class DamagedError(MmxError):
    """A stored state or a weight file is damaged, or belongs to something else."""

    exit_code = 5


class ModelError(MmxError):
    """A model cannot be used: unknown, not fetched, incomplete, or of a family that mmx does not run."""


class Interrupted(MmxError):
    """The person stopped it; what was read so far is kept."""

    exit_code = 130
