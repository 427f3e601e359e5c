"""Line and bar charts as SVG, readable on light and on dark, without any other program."""
import html
import math

COLOURS = ("#3b82c4", "#d9822b", "#3a9d5d", "#c0504d", "#8e6bbf", "#8a8a8a", "#b59a00", "#17a2a2")
STYLE = (
    "text{font:12px sans-serif;fill:#24292f}.title{font-size:14px;font-weight:bold}"
    ".grid{stroke:#d0d7de}.axis{stroke:#57606a}.line{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.grid{stroke:#30363d}.axis{stroke:#8b949e}}"
)
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 860, 70, 250, 40, 50


def number(value):
    for bound, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= bound:
            return f"{value / (bound if letter != 'k' else 1000):g}{letter}"
    return f"{value:g}"


def place(value):
    return f"{value:.1f}".removesuffix(".0")


class Scale:
    """From values to places between `first` and `last`, linear from 0 or logarithmic."""

    def __init__(self, values, first, last, log):
        low, high = min(values), max(values)
        self.log = log
        if log:
            self.low, self.high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
            if self.low == self.high:
                self.high = self.low * 10
        else:
            step = 10 ** math.floor(math.log10(high)) if high > 0 else 1
            self.step = next(part * step for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if high / (part * step) <= 6 or part == 2)
            self.low, self.high = 0, math.ceil(high / self.step) * self.step or 1
        self.first, self.last = first, last

    def at(self, value):
        part = (math.log10(value / self.low) / math.log10(self.high / self.low) if self.log
                else (value - self.low) / (self.high - self.low))
        return self.first + part * (self.last - self.first)

    def ticks(self):
        if not self.log:
            return [i * self.step for i in range(round(self.high / self.step) + 1)]
        powers = range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)
        return [10.0 ** i for i in powers]


class Places:
    """The values themselves, or names, at the same distance from each other."""

    def __init__(self, values, first, last):
        self.values = sorted(values)
        self.first, self.distance = first, (last - first) / max(len(self.values) - 1, 1)

    def at(self, value):
        return self.first + self.values.index(value) * self.distance


def text(x, y, words, more=""):
    return f'<text x="{place(x)}" y="{place(y)}"{more}>{html.escape(str(words))}</text>'


def line(x1, y1, x2, y2, kind):
    return f'<path class="{kind}" d="M{place(x1)} {place(y1)}L{place(x2)} {place(y2)}"/>'


def picture(title, height, parts):
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
                      f'role="img" aria-label="{html.escape(title)}">', f"<style>{STYLE}</style>",
                      text(LEFT, 22, title, ' class="title"'), *parts, "</svg>", ""])


def legend(names):
    parts = []
    for i, name in enumerate(names):
        y = TOP + 8 + 20 * i
        parts += [f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 8}" width="12" height="8" fill="{COLOURS[i % len(COLOURS)]}"/>',
                  text(WIDTH - RIGHT + 34, y, name)]
    return parts


def lines(title, x_name, y_name, series, log_y=False):
    """`series` is a list of (name, [(x, y, label)]): each x that there is has the same distance to the next."""
    height, right = 400, WIDTH - RIGHT
    points = [point for _, of_one in series for point in of_one]
    labels = {x: label or number(x) for x, _, label in points}
    x_scale = Places(labels, LEFT + 20, right - 10)
    y_scale = Scale([y for _, y, _ in points], height - BOTTOM, TOP, log_y)
    parts = []
    for tick in y_scale.ticks():
        y = y_scale.at(tick)
        parts += [line(LEFT, y, right, y, "grid"), text(LEFT - 6, y + 4, number(tick), ' text-anchor="end"')]
    for x, label in labels.items():
        parts.append(text(x_scale.at(x), height - BOTTOM + 18, label, ' text-anchor="middle"'))
    parts += [line(LEFT, height - BOTTOM, right, height - BOTTOM, "axis"),
              text((LEFT + right) / 2, height - 10, x_name, ' text-anchor="middle"'),
              text(0, 0, y_name, f' text-anchor="middle" transform="translate(16 {(TOP + height - BOTTOM) / 2}) rotate(-90)"')]
    for i, (_, of_one) in enumerate(series):
        colour = COLOURS[i % len(COLOURS)]
        places = [(x_scale.at(x), y_scale.at(y)) for x, y, _ in of_one]
        path = "L".join(f"{place(x)} {place(y)}" for x, y in places)
        parts.append(f'<path class="line" stroke="{colour}" d="M{path}"/>')
        parts += [f'<circle cx="{place(x)}" cy="{place(y)}" r="3" fill="{colour}"/>' for x, y in places]
    return picture(title, height, parts + legend([name for name, _ in series]))


def bars(title, x_name, names, rows, left=LEFT, log_x=False):
    """Bars from the left: `rows` is a list of (name, [value]), a value for each of `names`."""
    thick = 9
    distance = thick * len(names) + 7
    height = TOP + distance * len(rows) + BOTTOM
    right = WIDTH - RIGHT if len(names) > 1 else WIDTH - 60
    scale = Scale([value for _, values in rows for value in values], left, right, log_x)
    parts = []
    for tick in scale.ticks():
        x = scale.at(tick)
        parts += [line(x, TOP, x, height - BOTTOM, "grid"), text(x, height - BOTTOM + 18, number(tick), ' text-anchor="middle"')]
    for i, (name, values) in enumerate(rows):
        y = TOP + 4 + distance * i
        parts.append(text(left - 6, y + thick * len(names) / 2 + 4, name, ' text-anchor="end"'))
        for j, value in enumerate(values):
            parts.append(f'<rect x="{place(left)}" y="{place(y + thick * j)}" width="{place(max(scale.at(value) - left, 1))}" '
                         f'height="{thick}" fill="{COLOURS[j]}"/>')
    parts += [line(left, TOP, left, height - BOTTOM, "axis"),
              text((left + right) / 2, height - 10, x_name, ' text-anchor="middle"')]
    return picture(title, height, parts + (legend(names) if len(names) > 1 else []))
