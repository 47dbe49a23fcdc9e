"""The process that --keep-warm leaves: `python -m mmxcli.cli.warm '{"held": …, "seconds": …}'`."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr
from io import StringIO

import psutil

from mmxcli.config import Settings
from mmxcli.errors import MmxError
from mmxcli.line import Broken
from mmxcli.render.units import duration
from mmxcli.warm.place import LOG, folder

SHARE = 4  # of the machine's memory that it may take, unless --memory says: one part in so many


def leave(settings: Settings, *, whole: bool) -> str | None:
    """Sees to it that there is a warm process for the next commands; what to tell of it when it is a new one. `whole`:
    with the model that reads texts, and not only what reads questions."""
    from mmxcli.models.files import open_private
    from mmxcli.tasks.warm import keep, wanted

    if settings.device != "cpu":
        return "no process stays warm with a GPU: copies of a process cannot share one"
    place = folder(create=True)
    if place is None or sys.platform != "linux":
        return "no process stays warm here: " + ("only on Linux" if place else "there is no private folder for it")
    held = wanted(settings) | {"whole": whole}
    if keep(held, settings.keep_warm):
        return None
    job = json.dumps({"held": held, "seconds": settings.keep_warm})
    with open_private(place / LOG, "wb") as log:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "mmxcli.cli.warm", job],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            start_new_session=True,  # no terminal, and no Ctrl-C of it
        )
    return f"{settings.model} stays ready; it ends when no command came for {duration(settings.keep_warm)}"


def rehearse(model: str) -> None:
    """Runs a command that fails at once, fetches nothing, and says so to nobody: what commands import and put together
    when they run is then here, once for all of them."""
    from rich import live, progress_bar, table  # noqa: F401 - shown on a terminal while a command works

    from mmxcli.cli import app
    from mmxcli.tasks import ask, read  # noqa: F401

    with redirect_stderr(StringIO()):
        app.main(["ask", os.devnull, "?", "--model", model, "--offline"])


def main(job: str) -> int:
    from mmxcli.cli import app
    from mmxcli.tasks import warm
    from mmxcli.warm.server import Server

    told = json.loads(job)
    held = dict(told["held"])
    settings = Settings(**{name: held[name] for name in warm.HELD})
    most = settings.memory or psutil.virtual_memory().total // SHARE
    try:
        ready = warm.prepare(settings, whole=held["whole"])
        rehearse(settings.model)
        Server(ready, app.main, held, float(told["seconds"]), most).serve()
    except (OSError, MmxError, Broken) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
