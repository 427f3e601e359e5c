# Completion of umem for bash: verbs, options, and the names of heaps and blocks that the daemon has. To use it:
#
#     source <(umem completion bash)
#
# or put what that prints where bash-completion looks, as umem. umem itself determines what may be completed, with its quotes.

_umem()
{
    # The cursor's place is counted in bytes.
    local LC_ALL=C candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("${candidate%$'\r'}")
    done < <("${COMP_WORDS[0]}" --complete "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
}

complete -o default -F _umem umem
