#include "rpc/engine/known_request.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/engine/envelope.h"
#include "rpc/schema/table.h"

enum {
    KNOWN_COUNT = 8,  /* shapes */
    KEPT_SIZE = 1024, /* bytes of a text that a shape is made of */
    LEARN_EACH =
        4 /* one of so many texts that are not known, so that learning costs little where it is of no use */
};

struct um_known_requests {
    struct um_known_request row[KNOWN_COUNT];
    unsigned next;        /* place of the one that is replaced next */
    unsigned unknown;     /* texts since one was learned */
    char kept[KEPT_SIZE]; /* the text that is to be learned, before it is read */
};

struct um_known_requests *um_known_requests_new(void)
{
    return calloc(1, sizeof(struct um_known_requests));
}

void um_known_requests_free(struct um_known_requests *known)
{
    free(known);
}

/* Looks for the shape among the others. */
static struct um_known_request *find_other(struct um_known_requests *known, unsigned char *last, char *text,
                                           size_t size)
{
    for (unsigned i = 1; i < KNOWN_COUNT; i++) {
        unsigned place = (*last + i) % KNOWN_COUNT;
        struct um_known_request *request = &known->row[place];

        if (um_json_shape_read(&request->shape, text, size) == NULL)
            continue;
        *last = (unsigned char)place;
        return request;
    }
    return NULL;
}

struct um_known_request *um_known_requests_find(struct um_known_requests *known, unsigned char *last,
                                                char *text, size_t size)
{
    struct um_known_request *request = &known->row[*last];

    if (um_json_shape_read(&request->shape, text, size) != NULL)
        return request;
    return find_other(known, last, text, size);
}

bool um_known_requests_keep(struct um_known_requests *known, const char *text, size_t size)
{
    if (size > KEPT_SIZE || known->unknown++ % LEARN_EACH != 0)
        return false;
    memcpy(known->kept, text, size);
    return true;
}

/* Finds in the shape's tree what depends on the shape only. */
static bool understand(struct um_known_request *known)
{
    struct um_envelope envelope;
    struct um_id id;

    known->request = &known->shape.values[0];
    if (um_envelope_check(known->request, &envelope, &id) != NULL)
        return false;
    known->id = envelope.id;
    known->params = envelope.params;
    known->no_id = id.kind;
    known->method = um_table_find(envelope.method->text, envelope.method->size);
    return known->method != NULL &&
           um_args_match(known->method, envelope.params, &known->match, &known->args);
}

void um_known_requests_learn(struct um_known_requests *known, const char *text, size_t size,
                             const struct um_json *json)
{
    struct um_known_request *request = &known->row[known->next];
    struct um_json_example example = {.written = known->kept, .text = text, .size = size, .json = json};
    struct um_envelope envelope;

    if (json->kind != UM_JSON_OBJECT)
        return;
    um_envelope_read(json, &envelope);
    example.fixed[0] = envelope.jsonrpc;
    example.fixed[1] = envelope.method;
    if (!um_json_shape_learn(&request->shape, &example))
        return;
    if (understand(request))
        known->next = (known->next + 1) % KNOWN_COUNT;
    else
        um_json_shape_forget(&request->shape);
}
