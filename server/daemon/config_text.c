#include "daemon/config_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/encoding.h"

void um_config_text_begin(struct um_config_text *config, char *text, size_t size)
{
    static const char mark[] = "\xef\xbb\xbf";

    *config = (struct um_config_text){.next = text, .end = text + size};
    if (size >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0)
        config->next += sizeof mark - 1;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t';
}

/* Takes white space away from both ends. */
static char *trim(char *begin, char *end)
{
    while (begin < end && is_space(*begin))
        begin++;
    while (begin < end && is_space(end[-1]))
        end--;
    *end = '\0';
    return begin;
}

static bool has_control_character(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (((unsigned char)line[i] < 0x20 && line[i] != '\t') || line[i] == 0x7f)
            return true;
    }
    return false;
}

/* Takes the next line, without its end. */
static char *take_line(struct um_config_text *config, size_t *size)
{
    char *line = config->next;
    char *end = memchr(line, '\n', (size_t)(config->end - line));

    config->next = end != NULL ? end + 1 : config->end;
    config->line++;
    if (end == NULL)
        end = config->end;
    if (end > line && end[-1] == '\r')
        end--;
    *size = (size_t)(end - line);
    return line;
}

enum um_config_line um_config_text_next(struct um_config_text *config, const char **name, const char **value)
{
    while (config->next < config->end) {
        size_t size;
        char *line = take_line(config, &size);
        size_t indent = 0;
        char *equals;

        while (indent < size && is_space(line[indent]))
            indent++;
        if (indent == size || line[indent] == '#')
            continue;
        if (has_control_character(line, size) || um_utf8_check(line, size) != size) {
            *value = "the line has a control character, or is not UTF-8";
            return UM_CONFIG_WRONG;
        }
        equals = memchr(line, '=', size);
        if (equals == NULL) {
            *value = line[indent] == '[' ? "there are no sections: every line is NAME = VALUE"
                                         : "the line has no equals sign: it must be NAME = VALUE";
            return UM_CONFIG_WRONG;
        }
        /* The value first: the name's end is where the equals sign was. */
        *value = trim(equals + 1, line + size);
        *name = trim(line, equals);
        if (**name != '\0')
            return UM_CONFIG_SETTING;
        *value = "there is no name before the equals sign";
        return UM_CONFIG_WRONG;
    }
    return UM_CONFIG_END;
}
