"""What `mmx bench` has measured, as a table and as a drawing."""

from html import escape
from typing import TYPE_CHECKING

from mmxcli.render.escape import one_line
from mmxcli.render.output import Output
from mmxcli.render.units import duration, size

if TYPE_CHECKING:
    from mmxcli.tasks.bench import Bench, Measured

COLOURS = ("#c2410c", "#2563eb", "#15803d", "#7c3aed", "#525252")
BAR, GAP, LEFT, WIDTH = 16, 14, 190, 760  # pixels


def table(output: Output, item: "Bench") -> None:
    """A line for each thing and engine: from the least to the most of the rounds, and mmx against the others."""
    window = f"window {item.window:,}" if item.window else "no window"
    output.line(f"{one_line(item.model)}: {item.threads} threads, {item.rounds} rounds, mmx with {window}", "bold")
    width = max(len(one_line(engine)) for engine in item.engines)
    for measured in item.measured:
        output.line(f"{measured.name}, {measured.unit}" if measured.unit == "tokens/s" else measured.name)
        for engine in item.engines:
            if engine in measured.values:
                ratio = measured.times_as_good(engine)
                against = "" if engine == "mmx" or ratio is None else f"   mmx {ratio:.2f} times as good"
                output.line(f"{one_line(engine):<{width}}  {_spread(measured, engine)}{against}", indent=2)


def _spread(measured: "Measured", engine: str) -> str:
    least, most = (_quantity(measured, some(measured.values[engine])) for some in (min, max))
    return least if least == most else f"{least} … {most}"


def _quantity(measured: "Measured", value: float) -> str:
    if measured.unit == "bytes":
        return size(round(value))
    return duration(value) if measured.unit == "s" else f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def drawn(item: "Bench") -> str:
    """An SVG with a group of bars for each speed, as long as the best of the rounds; a line shows the spread."""
    speeds = [measured for measured in item.measured if measured.unit == "tokens/s"]
    parts, top = [], 60
    for number, engine in enumerate(item.engines):
        colour, y = COLOURS[number % len(COLOURS)], 34
        x = 20 + number * (WIDTH - 20) // len(item.engines)
        parts.append(f'<rect x="{x}" y="{y - 10}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y}">{escape(one_line(engine))}</text>')
    for measured in speeds:
        most = max(map(measured.best, measured.values))
        parts.append(f'<text x="20" y="{top + 12}">{escape(measured.name)}</text>')
        for number, engine in enumerate(item.engines):
            if engine not in measured.values:
                continue
            ends = [LEFT + some(measured.values[engine]) / most * (WIDTH - LEFT - 110) for some in (min, max)]
            colour, middle = COLOURS[number % len(COLOURS)], top + BAR // 2
            bar = f'<rect x="{LEFT}" y="{top}" width="{ends[1] - LEFT:.1f}" height="{BAR - 2}" fill="{colour}"/>'
            spread = f'<path d="M{ends[0]:.1f} {middle}H{ends[1]:.1f}" stroke="white" stroke-width="2"/>'
            label = f'<text x="{ends[1] + 6:.1f}" y="{top + 12}">{_spread(measured, engine)}</text>'
            parts += [bar, spread, label]
            top += BAR
        top += GAP
    title = f"{item.model}: tokens a second, {item.threads} threads, {item.rounds} rounds"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" font-family="sans-serif"'
        f' font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f'<text x="20" y="18" font-weight="bold">{escape(one_line(title))}</text>{"".join(parts)}</svg>\n'
    )
