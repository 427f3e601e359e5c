#!/usr/bin/env bash
# A C#, a C and a Python program share a durable heap, as docs/dotnet.md shows, and find it again when the daemon was killed or has
# ended in between.
# Usage: three_languages.sh DOTNET PROGRAM PYTHON SOURCES UMEMD UMEM EXAMPLE
set -euo pipefail

dotnet=$1
program=$2
python=$3
sources=$4
umemd=$5
umem=$6
example=$7
folder=$(mktemp -d)
export UMEM_PIPE=$folder/umemd.sock
daemon=
trap '[ -z "$daemon" ] || kill -9 "$daemon" 2>/dev/null || true; rm -rf "$folder"' EXIT

start()
{
    local line
    # A descriptor of this shell's, so that the daemon can write to it as long as it lives.
    exec {log}< <(exec "$umemd" --state "$folder/state" 2>&1)
    daemon=$!
    while IFS= read -r line <&"$log"; do
        case $line in *"listening on"*) return ;; esac
    done
    echo "the daemon has ended before it listened" >&2
    exit 1
}

# It has ended when its end of the log is closed.
ended()
{
    cat <&"$log" >/dev/null
    exec {log}<&-
    daemon=
}

# The Python of the document's section about durable heaps.
sed -n '/^A \*\*durable\*\* heap/,/^The bytes are there/p' "$sources/docs/dotnet.md" | sed -n '/^```python$/,/^```$/{/^```/d;p}' >"$folder/sum.py"
grep -q squares "$folder/sum.py"

start
"$dotnet" "$program" 5
"$example" fill
kill -9 "$daemon"
ended
start
PYTHONPATH=$sources/client/python "$python" -B "$folder/sum.py"
"$umem" shutdown
ended
start
sum=$("$dotnet" "$program" 6)
[ "$sum" = 332833500 ] || { echo "the sum is $sum" >&2; exit 1; }
"$umem" heap info tables | grep -q '^lifetime *durable' || { "$umem" heap info tables >&2; exit 1; }
