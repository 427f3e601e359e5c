#!/usr/bin/env bash
# Measures, and makes tables and plots of what was measured.
# Usage: run.sh BENCH_DAEMON UMEMD FOLDER [--quick] [--rounds N]
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
mkdir -p "$3"
"$1" --umemd "$2" --out "$3" "${@:4}"
# How pings fare beside each stream of another program: with everything else, or one of them to see that it works.
rm -f "$3/streams.json"
case " ${*:4} " in
*" --row "*) ;;
*" --quick "*) "$(dirname "$1")/hostile_daemon" --daemon "$2" --json "$3/streams.json" --short --stream nothing ;;
*) "$(dirname "$1")/hostile_daemon" --daemon "$2" --json "$3/streams.json" || true ;; # too long is a figure, too
esac
if command -v python3 >/dev/null; then
    python3 -B "$here/report.py" "$3"
else
    echo "python3 is not here, so there are no tables and plots; the figures are in $3/results.json"
fi
