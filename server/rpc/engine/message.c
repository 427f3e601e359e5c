#include "rpc/engine/message.h"

#include <stdlib.h>
#include <string.h>

void um_message_take(struct um_message *message, char *text, size_t size, uint64_t payload_size)
{
    /* It grew in large steps, and what it keeps now counts as what it says. Should there be no memory to make it smaller, it stays. */
    char *exact = realloc(text, size);

    *message =
        (struct um_message){.text = exact != NULL ? exact : text, .size = size, .payload_size = payload_size};
}

bool um_message_init(struct um_message *message, const char *text, size_t size, uint64_t payload_size)
{
    *message = (struct um_message){.size = size, .payload_size = payload_size};
    message->text = malloc(size != 0 ? size : 1);
    if (message->text == NULL)
        return false;
    memcpy(message->text, text, size);
    return true;
}

void um_message_move(struct um_message *to, struct um_message *from)
{
    *to = *from;
    *from = (struct um_message){.text = NULL};
}

void um_message_deinit(struct um_message *message)
{
    um_arena_deinit(&message->arena);
    free(message->text);
    message->text = NULL;
}

size_t um_message_memory(const struct um_message *message)
{
    return (message->text != NULL ? message->size : 0) + um_arena_size(&message->arena);
}
