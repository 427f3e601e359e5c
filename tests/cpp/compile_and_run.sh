#!/bin/sh
# Compiles a program and runs it, with the daemon of UMEM_PIPE, or without one. SOURCE in the command stands for the source; of a
# document that is its first C++ example, which prints 42.
#
#   [EMULATOR=PROGRAM] compile_and_run.sh PROGRAM SOURCE-OR-DOCUMENT COMPILE-COMMAND...
set -eu

program=$1
source=$2
shift 2
case $source in
*.md)
    document=$source
    source=$program.cpp
    . "$(dirname "$0")/../support/readme_blocks.sh"
    block cpp 1 >"$source"
    ;;
esac
count=$#
while [ "$count" -gt 0 ]; do
    word=$1
    shift
    [ "$word" != SOURCE ] || word=$source
    set -- "$@" "$word"
    count=$((count - 1))
done
"$@" -o "$program"
export UMEM_PIPE="${UMEM_PIPE-$program.sock}"
if [ -n "${document-}" ]; then
    expect "C++" "$(${EMULATOR-} "$program" | tr -d '\r')" 42
else
    ${EMULATOR-} "$program"
fi
