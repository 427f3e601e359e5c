# Completion of umemd for fish: options, and the words that are their values. To use it:
#
#     umemd --completion fish | source
#
# or put what that prints into ~/.config/fish/completions, as umemd.fish. umemd itself determines what may be completed.

function __umemd_candidates
    set -l before (commandline -opc)[-1]
    set -l word (commandline -ct)
    set -l head ''
    if string match -qr -- '^--[^=]*=' $word
        set before (string split -m 1 = -- $word)[1]
        set head "$before="
        set word (string split -m 1 = -- $word)[2]
    end
    set -l found (command umemd --candidates $before "$word" 2>/dev/null </dev/null)
    if test (count $found) -gt 0
        string trim --right --chars \r -- $head$found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete -c umemd -f -a '(__umemd_candidates)'
