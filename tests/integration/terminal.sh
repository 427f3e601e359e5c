#!/usr/bin/env bash
# umem as a person at a terminal uses it: tmux is the terminal, keys are typed into it, and its screen is looked at.
# Usage: terminal.sh PROGRAMS-DIRECTORY
# shellcheck disable=SC2016  # what is typed is for the shell in the terminal to expand
set -euo pipefail

bin=$1
folder=$(mktemp -d)
export PATH=$bin:$PATH UMEM_PIPE=$folder/umemd.sock

# A server of our own, without anybody's settings.
terminal()
{
    tmux -S "$folder/tmux" -f /dev/null "$@"
}

clean_up()
{
    umem shutdown >/dev/null 2>&1 || true
    terminal kill-server >/dev/null 2>&1 || true
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT

screen()
{
    terminal capture-pane -p -t main
}

keys()
{
    terminal send-keys -t main "$@"
}

# Types a line on an empty screen. What is awaited afterwards must not be part of the line itself.
enter()
{
    keys -l 'clear'
    keys Enter
    await_not 'clear'
    keys -l "$1"
    keys Enter
}

fail()
{
    printf '%s\n-- the screen:\n' "$1" >&2
    screen >&2
    exit 1
}

# Looks at the screen again and again, but not for ever. Each look is a program, so that it takes its time.
await()
{
    for ((try = 0; try < 1500; try++)); do
        if grep -qF -- "$1" <<<"$(screen)"; then
            return
        fi
    done
    fail "never seen: $1"
}

await_not()
{
    for ((try = 0; try < 1500; try++)); do
        if ! grep -qF -- "$1" <<<"$(screen)"; then
            return
        fi
    done
    fail "never gone: $1"
}

cd "$folder"
terminal new-session -d -s main -x 100 -y 50 "env PS1='ready: ' bash --norc --noprofile -i"
await 'ready:'

enter 'umem help'
await 'Exit status:'
enter 'umem alocc 4'
await 'did you mean "alloc"?'
enter 'umem ls --nmae x'
await 'did you mean --name?'
echo "help and typos: as expected"

enter 'umem ping'
await 'start a daemon with: umem spawn'
enter 'umem spawn && echo is-$((40 + 2))'
await 'is-42'
enter 'umem ping'
await 'umemd.sock answers'
echo "a daemon that is not there, then is: as expected"

enter 'block=$(umem alloc 8); umem free $block; umem read $block; echo status=$?'
await 'stale_handle'
await 'status=1'
echo "a stale handle: as expected"

enter 'source <(umem completion bash); umem alloc 16 --name first-of-all; echo alloc=$?'
await 'alloc=0'
keys -l 'umem du'
keys Tab
await 'umem dump'
keys -l 'fir'
keys Tab
await 'umem dump first-of-all'
keys Enter
await '00000010'
enter 'umem alloc 8 --name user:1; umem alloc 4 --name "with spaces"; echo alloc=$?'
await 'alloc=0'
keys -l 'clear; umem dump us'
keys Tab
await 'umem dump user:1'
keys Enter
await '00000008'
keys -l 'clear; umem dump user:'
keys Tab
await 'umem dump user:1'
keys Enter
await '00000008'
keys -l 'clear; umem dump "with s'
keys Tab
await 'umem dump "with spaces"'
keys Enter
await '00000004'
keys -l 'clear; umem dump with'
keys Tab
await 'umem dump with\ spaces'
keys Enter
await '00000004'
keys -l 'clear; umem ls --heap=pro'
keys Tab
await 'umem ls --heap=process'
keys Enter
await 'with spaces'
echo "completion: as expected"

# The screen with its colours, once a word is on it which is not in the line that was typed.
colors()
{
    await "$1"
    terminal capture-pane -p -e -t main
}

# expect_colors yes|no LINE WORD
expect_colors()
{
    enter "$2"
    if colors "$3" | grep -qF $'\e[1m'; then found=yes; else found=no; fi
    [ "$found" = "$1" ] || fail "colours in \"$2\": $found"
}

expect_colors yes 'umem sessions' PROGRAM
expect_colors no 'umem sessions --color never' PROGRAM
expect_colors no 'NO_COLOR=1 umem sessions' PROGRAM
expect_colors yes 'NO_COLOR= umem sessions' PROGRAM
expect_colors yes 'NO_COLOR=1 umem sessions --color=always' PROGRAM
expect_colors no 'TERM=dumb umem sessions' PROGRAM
expect_colors no 'TERM= umem sessions' PROGRAM
expect_colors no 'umem sessions | cat' PROGRAM
expect_colors yes 'umem help ping' Usage
expect_colors yes 'umem read nobody-there' unknown_handle
expect_colors no 'NO_COLOR=1 umem read nobody-there' unknown_handle
echo "colours: as expected"

has_editor=$(ldd "$bin/umem" | grep -c libedit || true)
# Each with a history of its own, which is none of the user's.
enter 'UMEM_HISTFILE=history umem shell; echo left=$?'
await 'umem>'
keys -l 'alloc 8 --name typed'
keys Enter
keys -l 'read nix'
keys Enter
await 'unknown_handle'
keys -l 'lock process'
keys Enter
keys -l 'ping'
keys Enter
await 'answers'
if [ "$(umem heap info process --json | grep -o '"locked":[a-z]*')" != '"locked":true' ]; then
    fail 'the lock does not last'
fi
if [ "$has_editor" != 0 ]; then
    keys -l 'not this'
    keys C-c
    await '^C'
    keys -l 'du'
    keys Tab
    keys -l 'ty'
    keys Tab
    await 'umem> dump typed'
    keys Enter
    await '00000008'
    keys C-l
    await_not '00000008'
    keys Up
    await 'umem> dump typed'
    keys C-u
    keys -l 'he'
    keys Tab
    await 'help'
    await 'heap'
    keys C-u
fi
keys -l 'exit'
keys Enter
await 'left=0'
enter 'umem heap info process; echo status=$?'
await 'status=0'
await 'locked                 no'
if [ "$has_editor" != 0 ]; then
    enter 'ls -l history | cut -c1-10; UMEM_HISTFILE=history umem shell; echo left=$?'
    await '-rw-------'
    await 'umem>'
    keys Up
    await 'umem> exit'
    keys Up
    await 'umem> dump typed'
    keys C-c
    await '^C'
    keys C-d
    await 'left=0'
fi
echo "a shell: as expected"

# When the watch has begun cannot be seen, so the block is changed until an event comes.
enter 'umem watch first-of-all'
for ((count = 0; count < 1500; count++)); do
    umem write first-of-all x
    if grep -q '^changed' <<<"$(screen)"; then
        break
    fi
done
keys C-c
await '^C'
keys -l 'echo watch=$?'
keys Enter
await 'watch=130'
echo "a watch until Ctrl-C: as expected"

# The reader stops in the middle until it is continued, so that the bar can be seen.
truncate -s 64M file
mkfifo go
enter 'umem alloc --file file --name big; echo alloc=$?'
await 'alloc=0'
enter 'umem read big | (head -c 32M >/dev/null; read -r _ <go; cat >/dev/null); echo read=${PIPESTATUS[0]}'
await '% [###'
await 'of 64 MiB'
echo go >go
await 'read=0'
await_not '% ['
# Where standard error is no terminal there is no bar.
enter 'umem read big 2>errors >/dev/null; wc -c errors'
await '0 errors'
echo "big data: as expected"

# Likewise for a dump. Bytes that are zero are not written.
enter 'umem fill big 7; umem save | (head -c 32M >/dev/null; read -r _ <go; cat >/dev/null); echo save=${PIPESTATUS[0]}'
await 'save '
await '% [###'
echo go >go
await 'save=0'
await_not '% ['
enter 'umem save --file dump 2>/dev/null; clear; (head -c 48M dump; read -r _ <go; tail -c +50331649 dump) | umem load - --replace; echo load=$?'
await 'load '
await '% [###'
echo go >go
await 'load=0'
await_not '% ['
echo "saving and loading: as expected"
