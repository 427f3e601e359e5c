#!/usr/bin/env bash
# report_look.sh BIN FOLDER: pictures of a page of umem report, for a person to look at: FOLDER/light-800.png and so on. A daemon
# of its own holds heaps and blocks of several programs.
set -euo pipefail

bin=$(cd "$1" && pwd)
mkdir -p "$2"
folder=$(cd "$2" && pwd)
work=$(mktemp -d)
export UMEM_PIPE=$work/umemd.sock
trap '"$bin/umem" shutdown || true; rm -rf "$work"' EXIT

# The blocks of a program: their number, their heap, and the power of two that their sizes go up to.
make_blocks()
{
    local i name
    RANDOM=$(($2 + $4))
    for ((i = 0; i < $2; i++)); do
        name=
        [ $((RANDOM % 10)) = 0 ] || name="--name $1-$4-$i"
        echo "alloc $((RANDOM % (1 << RANDOM % $4) + 1)) --heap $3 $name"
    done
}

"$bin/umem" spawn >/dev/null
"$bin/umem" heap create --name tiles --kind shared --maximum-size 16M >/dev/null
"$bin/umem" heap create --name cache --kind shared --maximum-size 1M >/dev/null
"$bin/umem" heap create --name jobs --maximum-size 300K >/dev/null
"$bin/umem" heap create --name '<b>"scratch"</b>' >/dev/null
for program in ingest tiler thumbnails indexer python3 node dotnet nightly; do
    # Its name is what the daemon sees of it.
    cp "$bin/umem" "$work/$program"
    { make_blocks $program 150 tiles 15; make_blocks $program 40 cache 12; make_blocks $program 12 jobs 11; } |
        "$work/$program" batch --keep-going >/dev/null
done
# Some rows of blocks go, so that something is free in between.
"$bin/umem" ls -o block | awk 'NR > 1 && int(NR / 9) % 4 == 0 { print "free", $1 }' | "$bin/umem" batch --keep-going
"$bin/umem" report "$folder/report.html"

for width in 360 800 1400; do
    for scheme in 1-light 0-dark; do
        chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/chromium" \
            --blink-settings=preferredColorScheme="${scheme%-*}" --window-size="$width,4200" \
            --screenshot="$folder/${scheme#*-}-$width.png" "file://$folder/report.html" >/dev/null 2>&1
        echo "$folder/${scheme#*-}-$width.png"
    done
done
