"""The program `mmx`: a command line goes to the warm process, where there is one, else to the commands."""

import os
import sys

from mmxcli.libraries import tell


def main() -> None:
    tell(os.environ)
    try:
        from mmxcli.warm.client import served

        code = served(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    if code is None:
        from mmxcli.cli import app

        code = app.main(sys.argv[1:])
    sys.exit(code)


if __name__ == "__main__":
    main()
