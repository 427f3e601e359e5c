# For scripts that run examples of the documents: sourced, with `document` set to the file.

# block LANGUAGE NUMBER: the text of the n-th block of that language.
block()
{
    awk -v fence="\`\`\`$1" -v wanted="$2" '
        $0 == fence { count++; inside = (count == wanted); next }
        /^```/ { inside = 0 }
        inside { print; found = 1 }
        END { exit !found }' "$document"
}

# expect WHAT FOUND WANTED
expect()
{
    if [ "$2" != "$3" ]; then
        printf '%s: expected\n%s\nbut got\n%s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    echo "$1: as expected"
}
