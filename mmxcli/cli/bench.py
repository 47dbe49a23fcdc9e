"""mmx bench: how fast this machine is with a model."""

from pathlib import Path
from typing import Annotated

import typer

from mmxcli.cli.options import PRINTING, Flags, takes
from mmxcli.config import parse_tokens
from mmxcli.errors import UsageError

Depths = Annotated[str, typer.Option("--depths", metavar="N,...", help="Also read 512 tokens after so many: 8k,64k")]
Rounds = Annotated[int, typer.Option("--rounds", metavar="N", min=1, max=100, help="Times that everything is done")]
Transformers = Annotated[bool, typer.Option("--transformers", help="Beside mmx, time plain transformers")]
LlamaBench = Annotated[
    str | None, typer.Option("--llama-bench", metavar="PROGRAM", help="llama.cpp's benchmark, where not on the PATH")
]
Ggufs = Annotated[
    list[Path] | None, typer.Option("--gguf", metavar="FILE", help="Beside mmx, time llama.cpp with FILE; repeatable")
]
Plot = Annotated[Path | None, typer.Option("--plot", metavar="FILE", help="Also draw the speeds, as SVG")]


@takes("model", "window", "quant", "device", "memory", "threads", "offline", *PRINTING)
def bench(
    flags: Flags,
    depths: Depths = "8192",
    rounds: Rounds = 2,
    transformers: Transformers = False,
    llama_bench: LlamaBench = None,
    gguf: Ggufs = None,
    plot: Plot = None,
) -> None:
    """Measure how fast this machine reads and writes with a model.

    Every engine runs in processes of its own, in turn, so that all meet the same noise. Other programs that compute
    meanwhile spoil the figures.
    """
    from mmxcli.render import speeds
    from mmxcli.state.files import written_aside
    from mmxcli.tasks import bench as task

    places = [parse_tokens(part) for part in depths.split(",") if part.strip()]
    if plot and not plot.resolve().parent.is_dir():
        raise UsageError(f"{plot}: there is no folder {plot.parent}")
    with flags.running() as (settings, view):
        found = view.through(
            task.bench(settings, places, rounds, transformers=transformers, llama_bench=llama_bench, ggufs=gguf or [])
        )
    if plot:
        with written_aside(plot) as file:
            file.write_text(speeds.drawn(found), encoding="utf-8")
    flags.listing([found], speeds.table)
