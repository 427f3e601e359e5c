#!/usr/bin/env bash
# Completion of umem in the shells that are there, but for bash, which terminal.sh types into.
# Usage: completion.sh PROGRAMS-DIRECTORY PWSH
set -euo pipefail

bin=$1
pwsh=$2
folder=$(mktemp -d)
export PATH=$bin:$PATH UMEM_PIPE=$folder/umemd.sock HOME=$folder

clean_up()
{
    umem shutdown >/dev/null 2>&1 || true
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"
umem spawn >/dev/null
umem alloc 1 --name 'with space' >/dev/null
umem alloc 1 --name zed >/dev/null

# expect WHAT FOUND WANTED
expect()
{
    if [ "$2" != "$3" ]; then
        printf '%s: expected\n%s\nbut got\n%s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    echo "$1: as expected"
}

expect "candidates" "$(umem --candidates 'umem dump z')" zed
if command -v fish >/dev/null; then
    complete_in_fish()
    {
        fish --no-config -c 'umem completion fish | source; complete -C $argv[1]' "$1"
    }
    expect "verbs in fish" "$(complete_in_fish 'umem heap c' | sort)" "$(printf '%s\n' compact create)"
    expect "names in fish" "$(complete_in_fish 'umem dump w')" 'with space'
    touch a-file
    expect "files in fish" "$(complete_in_fish 'umem alloc --file a-f')" a-file
else
    echo "Left out: fish (it is not here)"
fi
if command -v zsh >/dev/null; then
    # What zsh's own widget would offer, taken down in place of being shown.
    complete_in_zsh()
    {
        zsh -f -c '
            compdef() { :; }
            compadd() { shift; print -rl -- "$@"; }
            _files() { print -r -- files; }
            source <(umem completion zsh)
            words=("${@[1,-2]}" "$@[-1]"); CURRENT=$#words; PREFIX=$words[-1]
            _umem' zsh "$@"
    }
    expect "verbs in zsh" "$(complete_in_zsh umem heap c | sort)" "$(printf '%s\n' compact create)"
    expect "names in zsh" "$(complete_in_zsh umem dump w)" 'with space'
    expect "files in zsh" "$(complete_in_zsh umem alloc --file a-f)" files
else
    echo "Left out: zsh (it is not here)"
fi
if command -v "$pwsh" >/dev/null; then
    complete_in_powershell()
    {
        # shellcheck disable=SC2016  # PowerShell expands it
        LINE=$1 POWERSHELL_TELEMETRY_OPTOUT=1 "$pwsh" -NoProfile -NonInteractive -Command '
            umem completion powershell | Out-String | Invoke-Expression
            (TabExpansion2 $env:LINE $env:LINE.Length).CompletionMatches | ForEach-Object { $_.CompletionText }'
    }
    expect "verbs in PowerShell" "$(complete_in_powershell 'umem heap c' | sort)" "$(printf '%s\n' compact create)"
    expect "names in PowerShell" "$(complete_in_powershell 'umem dump w')" "'with space'"
else
    echo "Left out: PowerShell (pwsh is not here)"
fi
