#include "method_counts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rpc/schema/notification.h"
#include "rpc/schema/table.h"
#include "umem_errors.h"

/* What needs a damaged heap, a system without memory, a daemon without shared heaps, a durable heap, or a state that does not come about; "" is every
 * method, UMEM_OK that it succeeds. */
static const struct {
    const char *method;
    int code;
} exceptions[] = {
    {"", UMEM_E_INTERNAL_ERROR},
    {"heap.validate", UMEM_E_CORRUPTED},
    {"heap.create", UMEM_E_NO_MEMORY},
    {"block.change", UMEM_E_NO_MEMORY},
    {"block.hold", UMEM_E_NO_MEMORY},
    {"block.release", UMEM_E_NO_MEMORY},
    {"block.alloc", UMEM_E_CORRUPTED},
    {"block.free", UMEM_E_CORRUPTED},
    {"block.resize", UMEM_E_CORRUPTED},
    {"block.map", UMEM_E_CORRUPTED},
    {"heap.create", UMEM_E_CORRUPTED},
    {"heap.create", UMEM_E_UNSUPPORTED},
    {"block.change", UMEM_E_DENIED},
    {"block.change", UMEM_E_CORRUPTED},
    {"server.reload", UMEM_E_UNSUPPORTED},
    {"server.reload", UMEM_E_BAD_SETTINGS},
    {"block.free", UMEM_E_NO_MEMORY},
    {"heap.destroy", UMEM_E_NO_MEMORY},
    {"heap.destroy", UMEM_E_CORRUPTED},
    {"heap.create", UMEM_E_CORRUPTED},
    {"block.change", UMEM_E_DENIED},
    {"heap.flush", UMEM_OK},
    {"heap.flush", UMEM_E_CORRUPTED},
    {"block.write", UMEM_E_CORRUPTED},
    {"heap.flush", UMEM_E_CANCELLED},
    {"heap.flush", UMEM_E_LIMIT_EXCEEDED},
    {"block.fill", UMEM_E_CORRUPTED},
    {"block.copy", UMEM_E_CORRUPTED},
    {"block.set", UMEM_E_CORRUPTED},
    {"block.add", UMEM_E_CORRUPTED},
    {"block.exchange", UMEM_E_CORRUPTED},
    {"server.shutdown", UMEM_E_DENIED},
    {"server.shutdown", UMEM_E_UNSUPPORTED},
};

void check_table(void)
{
    for (size_t i = 0; um_table_at(i) != NULL; i++) {
        unsigned found = 0;

        while (entry_at(found) != NULL && strcmp(entry_at(found)->name, um_table_at(i)->name) != 0)
            found++;
        if (entry_at(found) == NULL)
            print_error("%s is not in the model: add it to random_methods.c, and predict what it answers\n",
                        um_table_at(i)->name);
        assert_non_null(entry_at(found));
    }
    for (unsigned i = 0; entry_at(i) != NULL; i++) {
        assert_in_range(i, 0, METHODS - 1);
        assert_non_null(method_named(entry_at(i)->name));
    }
}

static bool is_exception(const char *method, int code)
{
    bool found = false;

    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++)
        found = found || (exceptions[i].code == code &&
                          (exceptions[i].method[0] == '\0' || strcmp(exceptions[i].method, method) == 0));
    return found;
}

/* What must have come late at least once; a code of 0 is a success. */
static const struct {
    const char *method;
    int code;
} late[] = {
    {"block.wait", UMEM_OK},
    {"block.wait", UMEM_E_STALE_HANDLE},
    {"block.wait", UMEM_E_OUT_OF_RANGE},
    {"block.wait", UMEM_E_TIMEOUT},
    {"block.wait", UMEM_E_CANCELLED},
    {"heap.lock", UMEM_OK},
    {"heap.lock", UMEM_E_STALE_HANDLE},
    {"heap.lock", UMEM_E_TIMEOUT},
    {"heap.lock", UMEM_E_CANCELLED},
    {"heap.validate", UMEM_OK},
    {"block.at", UMEM_OK},
    {"block.at", UMEM_E_UNKNOWN_HANDLE},
    {"block.alloc", UMEM_OK},
    {"block.alloc", UMEM_E_STALE_HANDLE},
    {"block.alloc", UMEM_E_LOCKED},
    {"block.alloc", UMEM_E_NAME_TAKEN},
    {"block.resize", UMEM_OK},
    {"block.resize", UMEM_E_STALE_HANDLE},
    {"block.fill", UMEM_OK},
    {"block.copy", UMEM_OK},
    {"block.compare", UMEM_OK},
    {"block.find", UMEM_OK},
    {"block.write", UMEM_OK},
    {"block.write", UMEM_E_STALE_HANDLE},
    {"block.write", UMEM_E_OUT_OF_RANGE},
    {"block.write", UMEM_E_LOCKED},
};

static bool was_late(const struct run *run, const char *method, int code)
{
    unsigned entry = 0;
    unsigned index = 0;

    while (strcmp(entry_at(entry)->name, method) != 0)
        entry++;
    while (code != 0 && code_at(index) != code)
        index++;
    return (code == 0 ? run->late_successes[entry] : run->late_failures[entry][index]) != 0;
}

/* Calls that wait or take long, and notifications. */
static bool has_covered_late(const struct run *run, bool reports)
{
    bool all = true;

    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        if (was_late(run, late[i].method, late[i].code))
            continue;
        if (reports)
            print_error("%s has never answered %s late\n", late[i].method,
                        late[i].code != 0 ? umem_error_name(late[i].code) : "a result");
        all = false;
    }
    for (size_t i = 0; um_notification_at(i) != NULL; i++) {
        if (run->notifications[i] != 0)
            continue;
        if (reports)
            print_error("%s was never sent\n", um_notification_at(i)->name);
        all = false;
    }
    return all;
}

bool has_covered_all(const struct run *run, bool reports)
{
    bool all = has_covered_late(run, reports);

    for (unsigned i = 0; entry_at(i) != NULL; i++) {
        const struct um_method *method = method_named(entry_at(i)->name);

        if (run->successes[i] == 0 && !is_exception(method->name, UMEM_OK)) {
            if (reports)
                print_error("%s has never succeeded\n", method->name);
            all = false;
        }
        for (unsigned j = 0; code_at(j) != 0; j++) {
            if (run->failures[i][j] != 0 || !um_method_declares(method, code_at(j)) ||
                is_exception(method->name, code_at(j)))
                continue;
            if (reports)
                print_error("%s has never answered %s\n", method->name, umem_error_name(code_at(j)));
            all = false;
        }
    }
    return all;
}
