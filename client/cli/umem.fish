# Completion of umem for fish: verbs, options, and the names of heaps and blocks that the daemon has. To use it:
#
#     umem completion fish | source
#
# or put what that prints into ~/.config/fish/completions, as umem.fish. umem itself determines what may be completed.

function __umem_candidates
    set -l found (command umem --candidates (commandline -cp | string collect) 2>/dev/null </dev/null)
    if test (count $found) -gt 0
        string trim --right --chars \r -- $found
    else
        __fish_complete_path (commandline -ct)
    end
end

complete -c umem -f -a '(__umem_candidates)'
