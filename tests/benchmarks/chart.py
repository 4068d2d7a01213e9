"""The chart: for each workload a bar for each server, as long as its multiple of the floor."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from .results import FLOOR, Results

WIDTH = 860
#: Where bars start and end. Titles of workloads are above their bars, names of servers to the left.
LEFT, RIGHT = 150, 780
TOP = 84
BAR, GAP = 14, 4
TITLE_HEIGHT, GROUP_GAP = 24, 16

COLOURS = {"sio": "#2f81f7", "channels": "#8b949e", "python-socketio": "#d29922", "node": "#3fb950"}

#: The background goes with the text, so the chart can be read wherever it is shown.
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.paper { fill: #ffffff; stroke: #d1d9e0; }
.title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; }
.name { text-anchor: end; }
.note, .tick { fill: #59636e; }
.tick { text-anchor: middle; font-size: 11px; }
.grid { stroke: #d1d9e0; }
.floor { stroke: #cf222e; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .paper { fill: #0d1117; stroke: #3d444d; }
  .note, .tick { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .floor { stroke: #ff7b72; }
}
"""

Row = dict[str, Any]


def chart(results: Results) -> str:
    groups = {
        results["workloads"][workload]["title"]: {
            server: entry["multiple"] for server, entry in row.items() if server != FLOOR and entry["multiple"]
        }
        for workload, row in results["medians"].items()
    }
    groups = {title: bars for title, bars in groups.items() if bars}
    largest = max((value for bars in groups.values() for value in bars.values()), default=1.0)
    height = TOP + sum(map(group_height, groups.values())) + 16
    parts = [*frame(height, results["asgi_server"]), *axis(largest, height), *bodies(groups, largest)]
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *parts, "</svg>"]) + "\n"


def group_height(bars: Row) -> int:
    return TITLE_HEIGHT + len(bars) * (BAR + GAP) + GROUP_GAP


def text(x: float, y: float, content: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" class="{kind}">{escape(content)}</text>'


def frame(height: int, asgi_server: str) -> Iterator[str]:
    yield f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6" class="paper"/>'
    yield text(20, 30, "Cost of each operation, in multiples of the floor (less is better)", "title")
    note = f"Floor: the same frames by hand in a raw ASGI application. Python servers on {asgi_server}."
    yield text(20, 50, note, "note")


def position(value: float, largest: float) -> float:
    return LEFT + (RIGHT - LEFT) * value / max(largest, 2.0)


def axis(largest: float, height: int) -> Iterator[str]:
    """A line at each round multiple, and one at the floor."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000, 10**9) if largest / step <= 8)
    for tick in [0, *range(step, int(max(largest, 2.0)) + 1, step)]:
        yield line(position(tick, largest), height, "grid")
        yield text(position(tick, largest), TOP - 12, f"{tick}", "tick")
    yield line(position(1, largest), height, "floor")


def line(x: float, height: int, kind: str) -> str:
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{height - 12}" class="{kind}"/>'


def bodies(groups: dict[str, Row], largest: float) -> Iterator[str]:
    y = TOP
    for title, bars in groups.items():
        yield text(20, y + 16, title, "group")
        for index, (server, value) in enumerate(bars.items()):
            yield from bar(server, value, y + TITLE_HEIGHT + index * (BAR + GAP), largest)
        y += group_height(bars)


def bar(server: str, value: float, y: int, largest: float) -> Iterator[str]:
    end = position(max(value, 0), largest)
    size = f'width="{end - LEFT:.1f}" height="{BAR}"'
    yield text(LEFT - 8, y + 11, server, "name")
    yield f'<rect x="{LEFT}" y="{y}" {size} rx="2" fill="{COLOURS.get(server, "#8b949e")}"/>'
    yield text(end + 6, y + 11, f"{value:.2f}", "value")
