#include "cli/request/params.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/encoding.h"
#include "base/size.h"
#include "cli/output/fail.h"
#include "wire/json_write.h"

enum { PARAMS_LIMIT = 1 << 26 };

void cli_params_begin(struct cli_params *params)
{
    params->is_wrong = false;
    params->has_floats = false;
    um_buf_init(&params->json, PARAMS_LIMIT);
    um_json_begin_object(&params->json);
}

void cli_params_drop(struct cli_params *params)
{
    um_buf_deinit(&params->json);
}

/* Notes that a word is wrong; only the first one is reported. */
static void refuse(struct cli_params *params, const char *text, const char *what)
{
    if (!params->is_wrong)
        cli_fail(CLI_USAGE, "\"%s\" is %s", text, what);
    params->is_wrong = true;
}

static void put_string(struct cli_params *params, const char *text)
{
    size_t size = strlen(text);

    if (um_utf8_check(text, size) == size)
        um_json_string(&params->json, text, size);
    else
        refuse(params, text, "not UTF-8");
}

void cli_put_text(struct cli_params *params, const char *key, const char *text)
{
    if (text == NULL)
        return;
    um_json_key(&params->json, key);
    put_string(params, text);
}

void cli_put_handle(struct cli_params *params, const char *key, const char *text)
{
    cli_put_text(params, key, text);
}

void cli_put_string_list(struct cli_params *params, const char *key, const char *text)
{
    if (text == NULL)
        return;
    um_json_key(&params->json, key);
    um_json_begin_array(&params->json);
    while (*text != '\0') {
        size_t length = strcspn(text, ",");

        if (um_utf8_check(text, length) != length)
            refuse(params, text, "not UTF-8");
        else
            um_json_string(&params->json, text, length);
        text += length + (text[length] == ',');
    }
    um_json_end_array(&params->json);
}

bool cli_parse_size(const char *text, uint64_t *size)
{
    return um_size_parse(text, UMEM_SIZE_MAX, size);
}

static const char not_a_size[] = "not a size; write " UM_SIZE_FORMS;

void cli_put_size(struct cli_params *params, const char *key, const char *text)
{
    uint64_t size;

    if (text == NULL)
        return;
    if (!cli_parse_size(text, &size)) {
        refuse(params, text, not_a_size);
        return;
    }
    um_json_put_uint(&params->json, key, size);
}

void cli_put_milliseconds(struct cli_params *params, const char *key, const char *text)
{
    uint64_t number;

    if (text != NULL && (strspn(text, "0123456789") != strlen(text) || !cli_parse_size(text, &number)))
        refuse(params, text, "not a number of milliseconds");
    else
        cli_put_size(params, key, text);
}

int cli_option_size(const struct cli *cli, enum cli_option option, uint64_t fallback, uint64_t *size)
{
    *size = fallback;
    if (cli->option[option] == NULL || cli_parse_size(cli->option[option], size))
        return CLI_OK;
    return cli_fail(CLI_USAGE, "%s \"%s\" is %s", cli_option_table.options[option].name, cli->option[option],
                    not_a_size);
}

/* "1", "0.25", ".5": digits, and up to three behind a point. */
static bool parse_seconds(const char *text, uint64_t *ms)
{
    enum { MS_A_SECOND = 1000, DAY_MS = 24 * 60 * 60 * MS_A_SECOND };
    uint64_t value = 0;
    uint64_t unit = MS_A_SECOND;

    for (; *text >= '0' && *text <= '9' && value <= DAY_MS; text++)
        value = 10 * value + (uint64_t)(*text - '0') * MS_A_SECOND;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
            unit /= 10;
            value += (uint64_t)(*text - '0') * unit;
        }
    }
    *ms = value;
    return *text == '\0' && value != 0 && value <= DAY_MS;
}

int cli_option_seconds(const struct cli *cli, enum cli_option option, uint64_t fallback_ms, uint64_t *ms)
{
    *ms = fallback_ms;
    if (cli->option[option] == NULL || parse_seconds(cli->option[option], ms))
        return CLI_OK;
    return cli_fail(CLI_USAGE, "%s \"%s\" is no time in seconds from 0.001 to 86400",
                    cli_option_table.options[option].name, cli->option[option]);
}

static void put_param(struct cli_params *params, const struct cli_param *param, const char *text)
{
    switch (param->kind) {
    case CLI_AS_HANDLE:
        cli_put_handle(params, param->key, text);
        break;
    case CLI_AS_SIZE:
        cli_put_size(params, param->key, text);
        break;
    case CLI_AS_TEXT:
        cli_put_text(params, param->key, text);
        break;
    case CLI_AS_LIST:
        cli_put_string_list(params, param->key, text);
        break;
    }
}

void cli_params_begin_verb(const struct cli *cli, struct cli_params *params)
{
    cli_params_begin(params);
    for (const struct cli_param *param = cli->verb->params; param->key != NULL; param++) {
        if (param->is_option)
            put_param(params, param, cli->option[param->place]);
        else if (param->place < cli->word_count)
            put_param(params, param, cli->words[param->place]);
    }
}

/* The words for what digits cannot say, as they are written in JSON; NULL: it is none of them. */
static const char *word_for(const char *text)
{
    static const char *const words[][2] = {
        {"nan", "NaN"},        {"-nan", "NaN"},          {"inf", "Infinity"},
        {"-inf", "-Infinity"}, {"infinity", "Infinity"}, {"-infinity", "-Infinity"},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *at = text;
        const char *word = words[i][0];

        /* The other case of a letter; of a minus no character that is meant. */
        for (; *at != '\0' && (*at == *word || (*at | 0x20) == *word); at++)
            word++;
        if (*at == '\0' && *word == '\0')
            return words[i][1];
    }
    return NULL;
}

struct integer {
    bool is_negative;
    bool is_past; /* it has more than 64 bits */
    uint64_t magnitude;
};

/* Reads digits without fraction and exponent, of base 16 behind 0x. */
static bool read_integer(const char *text, struct integer *integer)
{
    const char *digits = *text == '-' ? text + 1 : text;
    bool is_hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    size_t length;

    digits += is_hex ? 2 : 0;
    length = strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789");
    if (length == 0 || digits[length] != '\0')
        return false;
    errno = 0;
    integer->is_negative = *text == '-';
    integer->magnitude = strtoull(digits, NULL, is_hex ? 16 : 10);
    integer->is_past = errno == ERANGE;
    return true;
}

bool cli_is_number(const char *text)
{
    struct integer integer;
    double number;

    return read_integer(text, &integer) || word_for(text) != NULL ||
           um_decimal_read_double(text, strlen(text), &number);
}

/* Whether a decimal number is written as JSON has them: digits on both sides of a point, and no zeros before others. */
static bool is_json_number(const char *text)
{
    const char *digits = *text == '-' ? text + 1 : text;
    const char *point = strchr(text, '.');

    if (*digits < '0' || *digits > '9' || (*digits == '0' && digits[1] >= '0' && digits[1] <= '9'))
        return false;
    return point == NULL || (point[1] >= '0' && point[1] <= '9');
}

/* As it was written, so that it is rounded once, by the daemon. */
static void put_decimal(struct cli_params *params, const char *text, double number)
{
    if (!(fabs(number) <= DBL_MAX))
        refuse(params, text, "past what a double holds; inf stands for infinity");
    else if (is_json_number(text))
        um_json_raw(&params->json, text, strlen(text));
    else
        um_json_double(&params->json, number);
}

static void put_integer(struct cli_params *params, const char *text, const struct integer *integer)
{
    uint64_t magnitude = integer->magnitude;

    if (integer->is_past || (integer->is_negative && magnitude > (uint64_t)INT64_MAX + 1))
        refuse(params, text, "past what 64 bits hold");
    else if (integer->is_negative)
        um_json_int64(&params->json, magnitude > INT64_MAX ? INT64_MIN : -(int64_t)magnitude);
    else
        um_json_uint64(&params->json, magnitude);
}

/* For floats: digits of base 16, rounded like others. */
static void put_hexadecimal(struct cli_params *params, const char *text, const struct integer *integer)
{
    double number = (double)integer->magnitude;

    if (integer->is_past)
        refuse(params, text, "past what 64 bits hold");
    else
        um_json_double(&params->json, integer->is_negative ? -number : number);
}

void cli_put_element(struct cli_params *params, const char *text)
{
    const char *word = word_for(text);
    struct integer integer;
    bool is_integer = read_integer(text, &integer);
    double number;

    if (word != NULL)
        um_json_cstring(&params->json, word);
    else if (is_integer && !params->has_floats)
        put_integer(params, text, &integer);
    else if (um_decimal_read_double(text, strlen(text), &number))
        put_decimal(params, text, number);
    else if (is_integer)
        put_hexadecimal(params, text, &integer);
    else
        refuse(params, text, "not a number");
}

void cli_put_value(struct cli_params *params, const char *key, const char *text)
{
    um_json_key(&params->json, key);
    cli_put_element(params, text);
}

void cli_put_bytes(struct cli_params *params, const char *key, const void *bytes, size_t size)
{
    char *text;

    um_json_key(&params->json, key);
    text = um_json_begin_raw_string(&params->json, 2 * size);
    if (text != NULL) {
        um_hex_encode(text, bytes, size);
        um_json_end_raw_string(&params->json);
    }
    cli_put_text(params, "encoding", "hex");
}

static bool is_space(char character)
{
    return character != '\0' && strchr(" \t\r\n", character) != NULL;
}

/* Takes white space out of encoded bytes, which other programs put there; *length is then that of what is left. In hexadecimal
 * digits it stands between bytes only: else it stays, to be found. */
static void take_spaces_out(char *text, bool hex, size_t *length)
{
    size_t kept = 0;

    for (size_t i = 0; i < *length; i++) {
        if (!is_space(text[i]) || (hex && kept % 2 != 0))
            text[kept++] = text[i];
    }
    *length = kept;
}

/* Where in `text` the character stands that has number `index` of those that are no white space between bytes. */
static size_t place_of(const char *text, bool hex, size_t index)
{
    size_t kept = 0;
    size_t at = 0;

    for (; text[at] != '\0'; at++) {
        if (is_space(text[at]) && !(hex && kept % 2 != 0))
            continue;
        if (kept++ == index)
            break;
    }
    return at;
}

int cli_decode_word(const struct cli *cli, const char *text, char **bytes, size_t *size)
{
    bool hex = cli->option[CLI_HEX] != NULL;
    bool base64 = cli->option[CLI_BASE64] != NULL;
    size_t length = strlen(text);
    size_t bad_offset = 0;
    char *decoded;

    if (hex && base64)
        return cli_fail_usage(cli, "--hex and --base64 exclude each other");
    decoded = malloc(length + 1);
    if (decoded == NULL)
        return cli_fail_memory();
    memcpy(decoded, text, length);
    if (hex || base64)
        take_spaces_out(decoded, hex, &length);
    *size = length;
    if ((hex && !um_hex_decode(decoded, decoded, length, size, &bad_offset)) ||
        (base64 && !um_base64_decode(decoded, decoded, length, size, &bad_offset))) {
        free(decoded);
        return cli_fail(CLI_USAGE, "DATA is not %s from character %zu on", hex ? "hexadecimal" : "base64",
                        place_of(text, hex, bad_offset));
    }
    *bytes = decoded;
    return CLI_OK;
}
