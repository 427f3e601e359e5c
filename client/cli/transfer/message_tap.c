#include "cli/transfer/message_tap.h"

#include "base/umem_errors.h"

enum { SCRATCH_SIZE = 1 << 12 };

void cli_tap_init(struct cli_message_tap *tap,
                  void (*on_message)(void *context, const struct cli_tap_message *message), void *context)
{
    *tap = (struct cli_message_tap){.on_message = on_message, .context = context};
    um_frame_init(&tap->frame, CLI_TAP_TEXT_LIMIT, UINT64_MAX);
    um_frame_count_brackets(&tap->frame);
    um_buf_init(&tap->text, CLI_TAP_TEXT_LIMIT);
    um_buf_init(&tap->payload, CLI_TAP_PAYLOAD_LIMIT);
}

void cli_tap_deinit(struct cli_message_tap *tap)
{
    um_frame_deinit(&tap->frame);
    um_buf_deinit(&tap->text);
    um_buf_deinit(&tap->payload);
}

/* Part of a payload. Its message is given out when all of it has come. */
static void add_payload(struct cli_message_tap *tap, const char *bytes, size_t size)
{
    struct cli_tap_message message;

    tap->is_blind = !um_buf_append(&tap->payload, bytes, size);
    if (tap->is_blind || um_frame_payload_left(&tap->frame) != 0)
        return;
    message = (struct cli_tap_message){tap->text.data, tap->text.size, tap->payload.data, tap->payload.size};
    tap->on_message(tap->context, &message);
    um_buf_truncate(&tap->text, 0);
    um_buf_truncate(&tap->payload, 0);
}

static void add_message(struct cli_message_tap *tap, const struct um_frame_message *found)
{
    const struct cli_tap_message message = {.text = found->text, .size = found->size};

    if (found->payload_size != 0)
        tap->is_blind = !um_buf_append(&tap->text, found->text, found->size);
    else
        tap->on_message(tap->context, &message);
}

/* Returns whether there may be more. */
static bool take_next(struct cli_message_tap *tap)
{
    struct um_frame_message message;
    char scratch[SCRATCH_SIZE];
    size_t size;

    switch (um_frame_next(&tap->frame, &message)) {
    case UM_FRAME_MESSAGE:
        add_message(tap, &message);
        return true;
    case UM_FRAME_PAYLOAD:
        size = um_frame_take_payload(&tap->frame, scratch, sizeof scratch);
        if (size != 0)
            add_payload(tap, scratch, size);
        return size != 0;
    case UM_FRAME_MORE:
        return false;
    default:
        tap->is_blind = true;
        return false;
    }
}

void cli_tap_feed(struct cli_message_tap *tap, char *bytes, size_t size)
{
    const uint64_t left = um_frame_payload_left(&tap->frame);
    const size_t passed = left < size ? (size_t)left : size;

    if (tap->is_blind)
        return;
    if (passed != 0) {
        um_frame_payload_consumed(&tap->frame, passed);
        add_payload(tap, bytes, passed);
    }
    if (passed == size || tap->is_blind)
        return;
    tap->is_blind = um_frame_feed(&tap->frame, bytes + passed, size - passed) != UMEM_OK;
    while (!tap->is_blind && take_next(tap))
        continue;
    if (!tap->is_blind)
        tap->is_blind = um_frame_keep(&tap->frame) != UMEM_OK;
}
