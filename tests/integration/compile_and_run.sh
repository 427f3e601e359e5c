#!/bin/sh
# Compiles a program and runs it, without a daemon. Usage: compile_and_run.sh PROGRAM COMPILE-COMMAND...
set -eu

program=$1
shift
"$@" -o "$program"
UMEM_PIPE=$program.sock "$program"
