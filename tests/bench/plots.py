"""The plots of report.py, by gnuplot, as SVG to stand within a page."""
import shutil
import subprocess

PERCENTILES = (("p50_us", "50 %"), ("p90_us", "90 %"), ("p99_us", "99 %"), ("p999_us", "99.9 %"), ("max_us", "all"))


def quote(text):
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def run_gnuplot(name, settings, series, style):
    """`series` is a list of (title, [(x, y, label)]). Returns the SVG, or gives up with what gnuplot says."""
    script = [f'set terminal svg size 1000,420 dynamic font "sans,13" name {quote(name)} background "white"',
              "set key outside right top", "set grid ytics lc rgb '#dddddd'", "set border 3", "set tics nomirror", *settings]
    plots = []
    for i, (title, points) in enumerate(series):
        script += [f"$data{i} << END", *(f"{x} {y} {quote(label)}" for x, y, label in points), "END"]
        plots.append(f"$data{i} using {style['using']} with {style['with']} title {quote(title)} {style.get('more', '')}")
    script.append("plot " + ", ".join(plots))
    done = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", capture_output=True, text=True, check=False)
    if done.returncode != 0 or "</svg>" not in done.stdout:
        raise SystemExit(f"gnuplot could not draw {name}: {done.stderr}")
    return done.stdout[done.stdout.index("<svg"):]


LINES = {"using": "1:2", "with": "linespoints lw 2 pt 7 ps 0.6"}
NAMED_LINES = {"using": "1:2:xtic(3)", "with": "linespoints lw 2 pt 7 ps 0.6"}
BARS = {"using": "1:2:xtic(3)", "with": "boxes fs solid 0.6"}


def is_on_disk(row):
    """What writes to the disk has a table of its own, and no place in these plots."""
    return "heap" in row.target or "appendonly" in row.target


def series_by(figures, wanted, x_of, y_of):
    """One line for each target, of the figures whose row is wanted."""
    series = {}
    for row, figure in figures.items():
        if wanted(row) and not is_on_disk(row):
            series.setdefault(row.target, []).append((x_of(row), y_of(row, figure), ""))
    return [(target, sorted(points)) for target, points in series.items()]


def by_depth(figures, name):
    return series_by(
        figures, lambda row: row.group == "load" and row.name == name and row.size == 64 and row.connections == 1
        and not row.target.startswith("bare"), lambda row: row.depth, lambda row, figure: figure.median / 1000)


def by_size(figures, name):
    return series_by(
        figures, lambda row: row.group == "load" and row.name == name and row.depth == 1 and row.connections == 1,
        lambda row: row.size, lambda row, figure: figure.median * row.size / 1e6)


def by_connections(figures):
    return series_by(
        figures, lambda row: row.group == "load" and row.name == "read" and row.size == 64 and row.depth == 1
        and row.target in ("umemd, lines, base64", "Redis", "memcached", "bare libuv, bytes of lines, base64"),
        lambda row: row.connections, lambda row, figure: figure.median / 1000)


def by_percentile(figures, depth):
    series = []
    for row, figure in figures.items():
        if (row.group, row.name, row.size, row.depth, row.connections) == ("load", "read", 64, depth, 1) and not is_on_disk(row):
            points = [(i, figure.latencies[name], label) for i, (name, label) in enumerate(PERCENTILES)]
            series.append((row.target, points))
    return series


def by_blocks(figures, depth):
    series = {}
    for row, figure in figures.items():
        if row.group == "growth" and row.target == "umemd" and row.depth == depth:
            series.setdefault(row.name, []).append((row.count, figure.median / 1000, ""))
    return [(name, sorted(points)) for name, points in series.items()]


def memory_bars(figures):
    bars = [(row.target, figure.median) for row, figure in figures.items()
            if row.name == "memory of a 64-byte block over its bytes"]
    return [("", [(i, value, target) for i, (target, value) in enumerate(bars)])]


def is_possible():
    return shutil.which("gnuplot") is not None


def draw_all(figures):
    """Returns (title, SVG) for each plot; none where gnuplot is not installed."""
    if not is_possible():
        return []
    log_x = ["set logscale x 2", "set yrange [0:*]"]
    log_both = ["set logscale xy", "set xlabel 'bytes a request'", "set ylabel 'MB/s'"]
    percentiles = ["set logscale y", "set ylabel 'microseconds'", "set xrange [-0.3:4.3]", "set xlabel 'of the requests'"]
    blocks = ["set logscale x", "set yrange [0:*]", "set xlabel 'blocks'", "set ylabel 'microseconds'"]
    wanted = []
    for name in ("read", "write"):
        depths = [*log_x, "set xlabel 'requests under way'", "set ylabel 'thousand requests a second'"]
        wanted.append((f"{name.capitalize()} of 64 bytes, by pipeline depth", depths, by_depth(figures, name), LINES))
    for name in ("read", "write"):
        wanted.append((f"{name.capitalize()} one at a time, by size", log_both, by_size(figures, name), LINES))
    wanted.append(("Read of 64 bytes one at a time, by connections",
                   ["set logscale x", "set yrange [0:*]", "set xlabel 'connections'",
                    "set ylabel 'thousand requests a second'"], by_connections(figures), LINES))
    for depth in (1, 64):
        wanted.append((f"How long a read of 64 bytes takes at depth {depth}", percentiles, by_percentile(figures, depth),
                       NAMED_LINES))
    for depth in (1, 64):
        wanted.append((f"Cost of a request by the number of blocks, depth {depth}", blocks, by_blocks(figures, depth),
                       LINES))
    wanted.append(("Memory of a 64-byte block over its bytes",
                   ["set ylabel 'bytes'", "set yrange [0:*]", "set boxwidth 0.5", "set xrange [-0.6:2.6]"],
                   memory_bars(figures), dict(BARS, more="lc rgb '#4477aa'")))
    return [(title, run_gnuplot(f"plot{i}", settings, series, style))
            for i, (title, settings, series, style) in enumerate(wanted) if any(points for _, points in series)]
