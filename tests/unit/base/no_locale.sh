#!/bin/sh
# no_locale.sh SOURCES: no number of the protocol goes through what depends on a program's locale. There are locales whose decimal
# point is neither a point nor a comma, and has two bytes. (LC_CTYPE says which bytes are characters, and nothing of numbers; strftime() has other letters.)
found=$(cd "$1" && grep -rnE \
    '\b(strto(d|f|ld)|atof|localeconv|setlocale|f?scanf|sscanf)\(|"[^"]*%[-+ #0-9.*]*l?[aefgAEFG]\b[^"]*"' \
    --include='*.c' --include='*.h' server client/lib client/cli client/uv common |
    grep -v 'setlocale(LC_CTYPE, \|strftime(')
[ -z "$found" ] && exit 0
printf '%s\nUse um_decimal_print_double() and um_decimal_read_double() of common/base/decimal.h.\n' "$found"
exit 1
