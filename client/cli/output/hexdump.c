#include "cli/output/hexdump.h"

#include <string.h>

#include "cli/output/output.h"

void cli_hexdump_begin(struct cli_hexdump *dump, uint64_t offset)
{
    *dump = (struct cli_hexdump){.offset = offset};
}

static void print_line(struct cli_hexdump *dump, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char hex[3 * CLI_HEXDUMP_WIDTH + 2];
    char text[CLI_HEXDUMP_WIDTH + 1];
    size_t at = 0;

    /* Two spaces in the middle. */
    memset(hex, ' ', sizeof hex);
    hex[sizeof hex - 1] = '\0';
    for (size_t i = 0; i < size; i++) {
        at = 3 * i + (i >= CLI_HEXDUMP_WIDTH / 2);
        hex[at] = digits[bytes[i] >> 4];
        hex[at + 1] = digits[bytes[i] & 15];
        text[i] = bytes[i] >= 0x20 && bytes[i] < 0x7f ? (char)bytes[i] : '.';
    }
    text[size] = '\0';
    cli_printf("%08llx  %s |%s|\n", (unsigned long long)dump->offset, hex, text);
}

void cli_hexdump_put(struct cli_hexdump *dump, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += CLI_HEXDUMP_WIDTH) {
        const unsigned char *line = (const unsigned char *)bytes + at;
        size_t width = size - at < CLI_HEXDUMP_WIDTH ? size - at : CLI_HEXDUMP_WIDTH;
        bool repeats = dump->has_last && width == CLI_HEXDUMP_WIDTH && memcmp(dump->last, line, width) == 0;

        if (repeats && !dump->is_repeating)
            cli_print_line("*");
        if (!repeats)
            print_line(dump, line, width);
        dump->is_repeating = repeats;
        dump->has_last = width == CLI_HEXDUMP_WIDTH;
        memcpy(dump->last, line, width);
        dump->is_begun = true;
        dump->offset += width;
    }
}

void cli_hexdump_end(struct cli_hexdump *dump)
{
    if (dump->is_begun)
        cli_printf("%08llx\n", (unsigned long long)dump->offset);
}
