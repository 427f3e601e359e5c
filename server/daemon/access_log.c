#include "daemon/access_log.h"

#include "umem_errors.h"

enum { FIELDS = UM_RECORD_SUBJECTS + 6 };

void um_access_log_call(struct um_log *log, const struct um_call_record *record, bool is_slow)
{
    struct um_log_field fields[FIELDS];
    size_t count = 0;

    fields[count++] = (struct um_log_field){"session", NULL, record->session};
    fields[count++] = (struct um_log_field){"method", record->method != NULL ? record->method : "", 0};
    for (size_t i = 0; i < record->subject_count; i++)
        fields[count++] = (struct um_log_field){record->subjects[i].param, record->subjects[i].text, 0};
    if (record->size != UM_RECORD_NO_SIZE)
        fields[count++] = (struct um_log_field){"size", NULL, (uint64_t)record->size};
    fields[count++] = (struct um_log_field){"us", NULL, record->us};
    if (record->has_waited)
        fields[count++] = (struct um_log_field){"waited", "yes", 0};
    if (record->code != UMEM_OK)
        fields[count++] = (struct um_log_field){"error", umem_error_name(record->code), 0};
    um_log_event(log, is_slow ? UM_LOG_WARNING : UM_LOG_INFO, is_slow ? "slow" : "call", fields, count);
}

void um_access_log_session(struct um_log *log, uint64_t session, const struct um_identity *client)
{
    const struct um_log_field closed = {"session", NULL, session};

    if (client == NULL) {
        um_log_event(log, UM_LOG_INFO, "close", &closed, 1);
    } else {
        const struct um_log_field opened[] = {{"session", NULL, session},
                                              {"pid", NULL, (uint64_t)client->pid},
                                              {"program", client->program, 0},
                                              {"user", client->user, 0}};

        um_log_event(log, UM_LOG_INFO, "open", opened, sizeof opened / sizeof opened[0]);
    }
}
