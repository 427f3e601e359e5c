/*
 * A heap as an arena: the tree of an arithmetic expression, a block for each node, all freed with one call.
 *
 *     example_arena "(1 + 2) * 3"
 *
 * The program keeps no list of the nodes and never frees them one by one: not after a valid expression, and not in the middle of an
 * invalid one. The heap's maximum is the arena's quota: an expression that is too long reaches it, and no other program does.
 */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "umem_client.h"

enum { ARENA_BYTES = 16 << 10, DEPTH_MAX = 200 };

/* The contents of a node's block: an operator with two nodes, or 'n' and a number. */
enum { KIND, VALUE, LEFT, RIGHT, FIELDS };

struct parser {
    umem_client *client;
    umem_handle heap;
    const char *at; /* what is not parsed yet */
    int depth;
    const char *fault; /* why there is no tree; NULL: no fault so far */
};

/* Every failure goes through here. It returns 0, which is no node, so that the parser unwinds. */
static umem_handle fail(struct parser *parser, const char *fault)
{
    if (parser->fault == NULL)
        parser->fault = fault;
    return 0;
}

static umem_handle make_node(struct parser *parser, char kind, int64_t value, umem_handle left,
                             umem_handle right)
{
    const struct umem_block_options options = {.heap = parser->heap};
    const int64_t fields[FIELDS] = {kind, value, (int64_t)left, (int64_t)right};
    umem_handle node;

    if (parser->fault != NULL)
        return 0;
    if (umem_block_alloc(parser->client, sizeof fields, &options, &node) != UMEM_OK ||
        umem_block_set(parser->client, node, 0, UMEM_TYPE_I64, fields, FIELDS) != UMEM_OK)
        return fail(parser, umem_last_error(parser->client)->message);
    return node;
}

/* The next character that is not white space. */
static char peek(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
    return *parser->at;
}

static umem_handle parse_sum(struct parser *parser);

/* factor: a number, or a sum in parentheses */
static umem_handle parse_factor(struct parser *parser)
{
    umem_handle node;
    int64_t value = 0;

    if (peek(parser) == '(') {
        parser->at++;
        if (++parser->depth > DEPTH_MAX)
            return fail(parser, "too many parentheses within each other");
        node = parse_sum(parser);
        parser->depth--;
        if (peek(parser) != ')')
            return fail(parser, "a \")\" is missing");
        parser->at++;
        return node;
    }
    if (!isdigit((unsigned char)*parser->at))
        return fail(parser, "a number or a \"(\" is missing");
    for (; isdigit((unsigned char)*parser->at); parser->at++) {
        if (value > (INT_MAX - 9) / 10)
            return fail(parser, "a number is too large");
        value = value * 10 + (*parser->at - '0');
    }
    return make_node(parser, 'n', value, 0, 0);
}

/* product: factor (* factor)... */
static umem_handle parse_product(struct parser *parser)
{
    umem_handle left = parse_factor(parser);

    while (parser->fault == NULL && peek(parser) == '*') {
        parser->at++;
        left = make_node(parser, '*', 0, left, parse_factor(parser));
    }
    return left;
}

/* sum: product (+ product | - product)... */
static umem_handle parse_sum(struct parser *parser)
{
    umem_handle left = parse_product(parser);

    while (parser->fault == NULL && (peek(parser) == '+' || peek(parser) == '-')) {
        char kind = *parser->at++;

        left = make_node(parser, kind, 0, left, parse_product(parser));
    }
    return left;
}

/* Walks the tree in the daemon: prints it, operators first, and returns its value (in unsigned numbers, which wrap). */
static uint64_t print_tree(struct parser *parser, umem_handle node)
{
    int64_t fields[FIELDS];
    uint64_t left;
    uint64_t right;

    if (parser->fault != NULL)
        return 0;
    if (umem_block_get(parser->client, node, 0, UMEM_TYPE_I64, fields, FIELDS) != UMEM_OK) {
        fail(parser, umem_last_error(parser->client)->message);
        return 0;
    }
    if (fields[KIND] == 'n') {
        printf("%" PRId64, fields[VALUE]);
        return (uint64_t)fields[VALUE];
    }
    printf("(%c ", (char)fields[KIND]);
    left = print_tree(parser, (umem_handle)fields[LEFT]);
    putchar(' ');
    right = print_tree(parser, (umem_handle)fields[RIGHT]);
    putchar(')');
    return fields[KIND] == '*' ? left * right : fields[KIND] == '+' ? left + right : left - right;
}

int main(int argc, char **argv)
{
    const struct umem_heap_options arena = {.maximum_size = ARENA_BYTES, .lifetime = UMEM_LIFETIME_SESSION};
    struct parser parser = {.client = umem_client_new(NULL), .at = argc > 1 ? argv[1] : "(1 + 2) * 3 - 4"};
    umem_handle tree;
    uint64_t value = 0;
    uint64_t blocks;
    uint64_t bytes;

    if (umem_connect(parser.client) != UMEM_OK ||
        umem_heap_create(parser.client, &arena, &parser.heap) != UMEM_OK) {
        fprintf(stderr, "%s\n", umem_last_error(parser.client)->message);
        umem_client_free(parser.client);
        return EXIT_FAILURE;
    }
    tree = parse_sum(&parser);
    if (parser.fault == NULL && peek(&parser) != '\0')
        fail(&parser, "an operator is missing");
    if (parser.fault == NULL)
        value = print_tree(&parser, tree);
    if (parser.fault == NULL)
        printf(" = %" PRId64 "\n", (int64_t)value);
    else
        printf("no tree: %s; what was left: \"%s\"\n", parser.fault, parser.at);

    /* The text of a failure lives until the next call, which is why it was printed before this one. */
    if (umem_heap_destroy(parser.client, parser.heap, &blocks, &bytes) != UMEM_OK)
        fprintf(stderr, "%s\n", umem_last_error(parser.client)->message);
    else
        printf("one call has freed %" PRIu64 " nodes of %" PRIu64 " bytes together\n", blocks, bytes);
    umem_client_free(parser.client);
    return parser.fault == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
