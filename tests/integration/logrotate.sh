#!/usr/bin/env bash
# logrotate, with the configuration that docs/operating.md has, rotates the log of a daemon that logs every call of a busy
# client: no line is lost.
# Usage: logrotate.sh LOGROTATE DIRECTORY-OF-THE-PROGRAMS READS SOURCES
set -euo pipefail

logrotate=$1
bin=$2
reads=$3
document=$4/docs/operating.md
. "$4/tests/support/readme_blocks.sh"

rounds=6
calls=3000
folder=$(mktemp -d)
export UMEM_PIPE=$folder/pipe UMEMD_CONFIG=none

clean_up()
{
    "$bin/umem" shutdown >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean_up EXIT

block logrotate 1 | sed "s|/home/user|$folder|" >"$folder/logrotate.conf"
chmod 600 "$folder/logrotate.conf"
"$bin/umemd" --daemon --log-calls --log-file "$folder/umemd.log" --pid-file "$folder/umemd.pid"
for ((i = 0; i < rounds; i++)); do
    "$reads" $calls &
    "$logrotate" --force --state "$folder/state" "$folder/logrotate.conf"
    wait $!
    # The next one compresses what this one has moved away: only when the daemon has let go of it.
    until [ -e "$folder/umemd.log" ]; do
        kill -0 "$(cat "$folder/umemd.pid")"
    done
done
"$bin/umem" shutdown
while [ -e "$folder/umemd.pid" ]; do
    sleep 0.1
done

files=("$folder"/umemd.log*)
zcat -f "${files[@]}" >"$folder/all"
found=$(grep -c ' info call session=[0-9]* method=block.read ' "$folder/all")
# Where a machine is so slow that the queue was full, the log says so.
lost=$(sed -n 's/.* warning \([0-9]*\) lines of this log were lost: .*/\1/p' "$folder/all" | awk '{ sum += $1 } END { print sum + 0 }')
expect "files" "${#files[@]}" $((rounds + 1))
if [ "$lost" = 0 ]; then
    expect "lines of calls" "$found" $((rounds * calls))
else
    lines=$(grep -c '' "$folder/all")
    echo "$lost lines did not fit in the queue, of $((lines + lost))"
    [ "$found" -le $((rounds * calls)) ] && [ $((found + lost)) -ge $((rounds * calls)) ]
fi
