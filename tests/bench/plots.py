"""The plots of report.py."""
import charts

SIZES = {64: "64 B", 4096: "4 KiB", 1048576: "1 MiB"}
PERCENTILES = (("p50_us", "50 %"), ("p90_us", "90 %"), ("p99_us", "99 %"), ("p999_us", "99.9 %"), ("max_us", "all"))


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
    series = series_by(
        figures, lambda row: row.group == "load" and row.name == name and row.depth == 1 and row.connections == 1,
        lambda row: row.size, lambda row, figure: figure.median * row.size / 1e6)
    return [(target, [(size, rate, SIZES.get(size, "")) for size, rate, _ in points]) for target, points in series]


def by_connections(figures):
    return series_by(
        figures, lambda row: row.group == "load" and row.name == "read" and row.size == 64 and row.depth == 1
        and row.target in ("umemd, lines, base64", "Redis", "memcached", "bare libuv, bytes of lines, base64"),
        lambda row: row.connections, lambda row, figure: figure.median / 1000)


def by_percentile(figures, group, name, depth):
    series = []
    for row, figure in figures.items():
        if (row.group, row.name, row.size, row.depth, row.connections) == (group, name, 64, depth, 1) and not is_on_disk(row):
            points = [(i, figure.latencies[name], label) for i, (name, label) in enumerate(PERCENTILES)]
            series.append((row.target, points))
    return series


def by_blocks(figures, depth):
    series = {}
    for row, figure in figures.items():
        if row.group == "growth" and row.target == "umemd" and row.depth == depth:
            series.setdefault(row.name, []).append((row.count, figure.median / 1000, ""))
    return [(name, sorted(points)) for name, points in series.items()]


def memory_rows(figures):
    return [(row.target, [figure.median]) for row, figure in figures.items()
            if row.name == "memory of a 64-byte block over its bytes"]


def library_rows(figures, name):
    return [(row.target, [figure.median / 1000]) for row, figure in figures.items()
            if (row.group, row.name, row.size) == ("library", name, 64)]


def stream_rows(figures):
    return [(row.name, [figure.latencies["p99_us"] / 1000, figure.latencies["max_us"] / 1000])
            for row, figure in figures.items() if row.group == "stream"]


def has_points(more):
    """Whether there is something to be drawn: series, or rows, stand third in a plot's arguments but its title."""
    return any(values for _, values in more[2])


def draw_all(figures):
    """Returns (file, title, SVG) for each plot that there are figures for."""
    requests, rate = "requests under way", "thousand requests a second"
    wanted = []
    for name in ("read", "write"):
        wanted.append((f"{name}-by-depth", charts.lines, f"{name.capitalize()} of 64 bytes, by pipeline depth", requests, rate,
                       by_depth(figures, name)))
    for name in ("read", "write"):
        wanted.append((f"{name}-by-size", charts.lines, f"{name.capitalize()} one at a time, by size", "bytes a request", "MB/s",
                       by_size(figures, name), True))
    wanted.append(("read-by-connections", charts.lines, "Read of 64 bytes one at a time, by connections", "connections", rate,
                   by_connections(figures)))
    for file, title, group, name, depth in (
            ("latency", "How long a read of 64 bytes takes, one at a time", "load", "read", 1),
            ("latency-deep", "How long a read of 64 bytes takes, 64 under way", "load", "read", 64),
            ("latency-steady", "How long a read of 64 bytes takes beside a steady load", "steady", "read beside 16 a ms", 1)):
        wanted.append((file, charts.lines, title, "of the requests", "microseconds", by_percentile(figures, group, name, depth), True))
    for depth in (1, 64):
        wanted.append((f"by-blocks-{depth}", charts.lines, f"Cost of a request by the number of blocks, depth {depth}", "blocks",
                       "microseconds", by_blocks(figures, depth)))
    for name in ("read", "write"):
        wanted.append((f"libraries-{name}", charts.bars, f"{name.capitalize()} of 64 bytes through a client library, one at a time", rate,
                       [""], library_rows(figures, name), 170))
    wanted.append(("block-memory", charts.bars, "Memory of a 64-byte block over its bytes", "bytes", [""], memory_rows(figures), 170))
    wanted.append(("pings", charts.bars, "How long pings take beside another program", "milliseconds", ["99 of 100", "all"],
                   stream_rows(figures), 370, True))
    return [(file, title, draw(title, *more)) for file, draw, title, *more in wanted if has_points(more)]
