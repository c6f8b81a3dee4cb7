"""What a crowd was told, as a page that needs nothing else: figures by step, and two drawings."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.bots.crowd import Told
from bench.measure import machine

WIDTH, HEIGHT = 860, 240
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 14, 34
SECOND_AXIS = 56
COLORS = ("#1f5fa8", "#c2410c", "#2e7d4f", "#7c3aed", "#b4236b", "#00838f", "#8a6d3b", "#455a64", "#111111", "#d97706")
CURVE = (0.0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.9, 100)

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1c1c;max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin-top:2rem}
div{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#444}
p.key span{margin-right:1.2rem;white-space:nowrap}
p.key i{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin-right:.35rem}
"""


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which PERCENT of VALUES lie; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def text(told: Told) -> str:
    """The figures, for a terminal."""
    lines = [f"{'step':14} {'count':>7} {'p50':>8} {'p90':>8} {'p99':>8} {'max':>8}  ms, from when the request was due"]
    for step, latencies in _by_step(told).items():
        figures = [f"{percentile(latencies, percent) * 1000:8.0f}" for percent in (50, 90, 99, 100)]
        lines.append(f"{step:14} {len(latencies):7} {' '.join(figures)}  {_statuses(told, step)}")
    if told.order_waits_s:
        waits = " ".join(_waits(told.order_waits_s))
        lines.append(f"{'order, in all':14} {len(told.order_waits_s):7} {waits}  with having been asked to come again")
    if told.room_waits_s:
        lines.append(f"{'room, in all':14} {len(told.room_waits_s):7} {' '.join(_waits(told.room_waits_s))}  in the waiting room")
    lines.append(f"bought: {_bought(told)}")
    lines.append("outcomes: " + ", ".join(f"{outcome} {count}" for outcome, count in told.outcomes.most_common()))
    return "\n".join(lines)


def write_html(told: Told, path: Path, *, title: str) -> None:
    """The report at PATH."""
    steps = _by_step(told)
    rows = "".join(
        f"<tr><td>{escape(step)}</td><td>{len(latencies):,}</td>"
        + "".join(f"<td>{percentile(latencies, percent) * 1000:,.0f}</td>" for percent in (50, 90, 99, 99.9, 100))
        + f"<td>{escape(_statuses(told, step))}</td></tr>"
        for step, latencies in steps.items()
    )
    outcomes = "".join(f"<tr><td>{escape(outcome)}</td><td>{count:,}</td></tr>" for outcome, count in told.outcomes.most_common())
    about = ", ".join(f"{name} {value}" for name, value in machine().items())
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><h1>{escape(title)}</h1>"
        f"<p>{sum(told.outcomes.values()):,} bots, {len(told.records):,} requests in {told.seconds:.1f} s. "
        f"They bought {_bought(told)}. They ran on: {escape(about)}.</p>"
        f"<h2>How it ended</h2><div><table><tr><th>outcome</th><th>bots</th></tr>{outcomes}</table></div>"
        f"{_told_waits('An order, with having been asked to come again, took', told.order_waits_s)}"
        f"{_told_waits('In the waiting room a bot was for', told.room_waits_s)}"
        "<h2>Latency in ms, from when each request was due</h2><div><table>"
        "<tr><th>step</th><th>requests</th><th>p50</th><th>p90</th><th>p99</th>"
        f"<th>p99.9</th><th>max</th><th>answers</th></tr>{rows}</table></div>"
        f"<h2>Over time</h2>{_key(('requests a second', 'p50', 'p99'))}{_over_time(told)}"
        f"<h2>By percentile</h2>{_key(list(steps))}{_curves(steps)}</html>\n",
        encoding="utf-8",
    )


def _bought(told: Told) -> str:
    return f"{told.tickets:,} tickets and {told.products:,} products"


def _by_step(told: Told) -> dict[str, list[float]]:
    steps: defaultdict[str, list[float]] = defaultdict(list)
    for record in told.records:
        steps[record.step].append(record.latency_s)
    return dict(steps)


def _waits(waits_s: Sequence[float]) -> list[str]:
    return [f"{percentile(waits_s, percent) * 1000:8.0f}" for percent in (50, 90, 99, 100)]


def _told_waits(what: str, waits_s: Sequence[float]) -> str:
    if not waits_s:
        return ""
    p50, p90, p99, most = _waits(waits_s)
    return f"<p>{escape(what)} {p50} ms (p50), {p90} (p90), {p99} (p99), {most} at most.</p>"


def _statuses(told: Told, step: str) -> str:
    counts = Counter(record.status for record in told.records if record.step == step)
    return ", ".join(f"{status or 'none'} × {count:,}" for status, count in sorted(counts.items()))


def _key(names: Sequence[str]) -> str:
    items = (f'<span><i style="background:{COLORS[index % len(COLORS)]}"></i>{escape(name)}</span>' for index, name in enumerate(names))
    return f'<p class="key">{"".join(items)}</p>'


def _over_time(told: Told) -> str:
    """Requests due in each second on the left, their latencies on the right, both from zero."""
    seconds: defaultdict[int, list[float]] = defaultdict(list)
    for record in told.records:
        seconds[int(record.due_s)].append(record.latency_s * 1000)
    last = max(seconds, default=0) + 1
    counts = [float(len(seconds.get(second, ()))) for second in range(last)]
    p50 = [percentile(seconds.get(second, ()), 50) for second in range(last)]
    p99 = [percentile(seconds.get(second, ()), 99) for second in range(last)]
    most, slowest = _nice(max(counts, default=1)), _nice(max(p99, default=1))
    right = WIDTH - RIGHT - SECOND_AXIS
    xs = [LEFT + (right - LEFT) * (second + 0.5) / last for second in range(last)]

    def y(value: float, top: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)

    bar = max(1.0, (right - LEFT) / last * 0.7)
    bars = "".join(
        f'<rect x="{x - bar / 2:.1f}" y="{y(count, most):.1f}" width="{bar:.1f}" height="{y(0, most) - y(count, most):.1f}"'
        f' fill="{COLORS[0]}" opacity=".35"/>'
        for x, count in zip(xs, counts, strict=True)
    )
    lines = "".join(_line(color, xs, [y(value, slowest) for value in values]) for values, color in ((p50, COLORS[1]), (p99, COLORS[2])))
    ticks = "".join(
        f'<line x1="{LEFT}" x2="{right}" y1="{y(part, 1):.1f}" y2="{y(part, 1):.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y(part, 1) + 4:.1f}" text-anchor="end">{most * part:,.0f}/s</text>'
        f'<text x="{right + 6}" y="{y(part, 1) + 4:.1f}">{slowest * part:,.0f} ms</text>'
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    step = max(1, math.ceil(last / 12))
    below = "".join(
        f'<text x="{LEFT + (right - LEFT) * second / last:.1f}" y="{HEIGHT - 12}" text-anchor="middle">{second} s</text>'
        for second in range(0, last + 1, step)
    )
    return _drawing("Requests and their latency in each second", ticks + bars + lines + below)


def _curves(steps: dict[str, list[float]]) -> str:
    """Latency by percentile, a line a step; latencies by their logarithm."""
    low, high = 0.0, 1.0
    curves = {step: [math.log10(max(1.0, percentile(latencies, at) * 1000)) for at in CURVE] for step, latencies in steps.items()}
    high = max([high, *(max(curve) for curve in curves.values())])
    right = WIDTH - RIGHT
    xs = [LEFT + (right - LEFT) * index / (len(CURVE) - 1) for index in range(len(CURVE))]

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    lines = "".join(_line(COLORS[index % len(COLORS)], xs, [y(value) for value in curve]) for index, curve in enumerate(curves.values()))
    ticks = "".join(
        f'<line x1="{LEFT}" x2="{right}" y1="{y(power):.1f}" y2="{y(power):.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{y(power) + 4:.1f}" text-anchor="end">{10**power:,} ms</text>'
        for power in range(math.floor(high) + 1)
    )
    below = "".join(
        f'<text x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="middle">p{at:g}</text>'
        for x, at in zip(xs, CURVE, strict=True)
        if at not in (0.0, 100)
    )
    return _drawing("Latency by percentile of each step", ticks + lines + below)


def _line(color: str, xs: Sequence[float], ys: Sequence[float]) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    return f'<polyline fill="none" stroke="{color}" stroke-width="2" points="{points}"/>'


def _drawing(name: str, content: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}">{content}</svg>'


def _nice(value: float) -> float:
    """The next of 1, 2, 4, 5, 8 × a power of ten: so that its quarters are round."""
    power = 10 ** math.floor(math.log10(max(value, 1)))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)
