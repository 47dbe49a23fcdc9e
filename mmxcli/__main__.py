"""The program `mmx`: a command line goes to the warm process, where there is one, else to the commands."""

import atexit
import os
import sys
from contextlib import suppress

from mmxcli.libraries import tell


def main() -> None:
    """Runs the command line of this process and ends it."""
    codes: list[int] = []
    atexit.register(_leave, codes)  # what is registered first is done last
    tell(os.environ)
    try:
        from mmxcli.warm.client import served

        code = served(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    if code is None:
        from mmxcli.cli import app

        code = app.main(sys.argv[1:])
    codes.append(code)
    sys.exit(code)


def _leave(codes: list[int]) -> None:
    """Leaves everything to the system, which takes 0.02 s. Python would take apart, object by object, what was
    compiled and a model's weights: 0.35 s. Threads have ended, and what was registered for the end is done."""
    with suppress(OSError, ValueError):  # who cannot be told any more is Python's to handle, as ever
        for stream in (sys.stdout, sys.stderr):
            if stream:
                stream.flush()
        if codes:
            os._exit(codes[0])


if __name__ == "__main__":
    main()
