#!/usr/bin/env bash
# A read of 64 bytes takes two system calls: one that sends the request, one that receives the answer.
# Usage: count_system_calls.sh DIRECTORY-OF-THE-PROGRAMS READS    Ends with 77 where strace may not trace.
set -euo pipefail

bin=$1
reads=$2
folder=$(mktemp -d)
export UMEM_PIPE=$folder/pipe

clean_up()
{
    "$bin/umem" shutdown >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean_up EXIT

if ! strace -o "$folder/trace" true 2>"$folder/why"; then
    echo "strace may not trace here, so nothing was counted: $(head -n 1 "$folder/why")"
    exit 77
fi

# It comes back when the pipe is open.
"$bin/umemd" --daemon

# count TIMES: prints how many system calls a program makes that reads so often.
count()
{
    strace -f -o "$folder/trace" "$reads" "$1"
    # Lines about signals and about the program's end are none.
    grep -c '(' "$folder/trace"
}

few=$(count 10)
many=$(count 1010)
echo "10 reads: $few system calls, 1010 reads: $many"
if [ $((many - few)) -ne 2000 ]; then
    echo "1000 reads took $((many - few)) system calls, not 2000. The last ones:" >&2
    tail -n 20 "$folder/trace" >&2
    exit 1
fi
