/*
 * A named pipe whose instances we make ourselves and hand to libuv with uv_pipe_open(). libuv's own listener
 * offers no way to say who may connect before the first instance is there, nor to refuse other machines; here
 * both are part of making an instance, so there is no moment at which another user can connect. The price is
 * a descriptor of the C run-time library for each client, of which there are few (see
 * um_listener_client_capacity).
 *
 * Each instance waits for its client with ConnectNamedPipe and an event. A thread of the system's pool sees
 * the event and wakes the loop, which finds out which instances have a client.
 */
#include "net/listener/listener.h"

#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/security_win32.h"
#include "net/listener/pipe_lock.h"
#include "umem_errors.h"
#include "wire/endpoint.h"

enum {
    INSTANCES =
        16, /* clients that may connect before the loop comes round; others find the pipe busy and wait */
    BUFFER_SIZE = 65536, /* bytes that the system keeps for each direction */
    DESCRIPTORS_KEPT_BACK = 64
};

/* What the C run-time library can have open at one time: _NHANDLE_ of corecrt_internal_lowio.h in the universal one, which is Microsoft's
 * compiler's, and mingw-w64's where it says so; msvcrt.dll has fewer. */
#if defined(_UCRT) || defined(_MSC_VER)
enum { DESCRIPTORS = 8192 };
#else
enum { DESCRIPTORS = 2048 };
#endif

enum state {
    EMPTY,    /* no pipe: making one failed, or its client was taken */
    WAITING,  /* for a client */
    REPORTED, /* has a client, and the owner knows */
};

struct instance {
    struct um_listener *listener;
    enum state state;
    HANDLE pipe;           /* INVALID_HANDLE_VALUE: none */
    HANDLE event;          /* set when there is a client; resets itself */
    HANDLE wait;           /* NULL: no thread waits for the event */
    OVERLAPPED overlapped; /* of ConnectNamedPipe */
    bool came_early;       /* its client came before ConnectNamedPipe, of which there is no result then */
    volatile LONG is_set;  /* the event was set: from the thread to the loop */
};

struct um_listener {
    uv_async_t wake; /* some instance has a client, or one must be made again */
    struct instance instances[INSTANCES];
    struct um_pipe_lock *lock;
    struct um_listener_events events;
    SECURITY_ATTRIBUTES attributes; /* of every instance */
    WCHAR path[UM_ENDPOINT_CAPACITY];
    bool is_closing;
};

static void CALLBACK on_event(void *context, BOOLEAN timed_out)
{
    struct instance *instance = context;

    (void)timed_out;
    InterlockedExchange(&instance->is_set, 1);
    uv_async_send(&instance->listener->wake);
}

/* Makes the pipe of an instance. Returns 0 or a Windows error. */
static DWORD make_pipe(struct um_listener *listener, struct instance *instance, bool is_first)
{
    DWORD open_mode =
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (is_first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
    DWORD pipe_mode = PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS;

    instance->pipe = CreateNamedPipeW(listener->path, open_mode, pipe_mode, PIPE_UNLIMITED_INSTANCES,
                                      BUFFER_SIZE, BUFFER_SIZE, 0, &listener->attributes);
    return instance->pipe != INVALID_HANDLE_VALUE ? 0 : GetLastError();
}

static void drop_pipe(struct instance *instance)
{
    if (instance->pipe != INVALID_HANDLE_VALUE)
        CloseHandle(instance->pipe);
    instance->pipe = INVALID_HANDLE_VALUE;
    instance->state = EMPTY;
}

/* Lets an instance with a pipe wait for a client. */
static void wait_for_client(struct instance *instance)
{
    DWORD error;

    instance->overlapped = (OVERLAPPED){.hEvent = instance->event};
    instance->came_early = false;
    instance->state = WAITING;
    if (ConnectNamedPipe(instance->pipe, &instance->overlapped))
        return;
    error = GetLastError();
    /* A client that has come already, and one that has gone again but may have left a request. */
    instance->came_early = error == ERROR_PIPE_CONNECTED || error == ERROR_NO_DATA;
    if (instance->came_early)
        SetEvent(instance->event);
    else if (error != ERROR_IO_PENDING)
        drop_pipe(instance);
}

static void refill(struct um_listener *listener, struct instance *instance)
{
    if (make_pipe(listener, instance, false) == 0)
        wait_for_client(instance);
}

/* Whether an instance that was waiting has a client now. */
static bool has_client(struct instance *instance)
{
    DWORD size;

    if (instance->state != WAITING || InterlockedExchange(&instance->is_set, 0) == 0)
        return false;
    if (instance->came_early || GetOverlappedResult(instance->pipe, &instance->overlapped, &size, FALSE))
        return true;
    drop_pipe(instance);
    return false;
}

/* Tells the owner of new clients, and makes anew what could not be made before. */
static void on_wake(uv_async_t *wake)
{
    struct um_listener *listener = wake->data;

    for (int i = 0; i < INSTANCES && !listener->is_closing; i++) {
        struct instance *instance = &listener->instances[i];

        if (has_client(instance)) {
            instance->state = REPORTED;
            listener->events.client(listener->events.context);
        } else if (instance->state == EMPTY) {
            refill(listener, instance);
        }
    }
}

/* Hands the pipe over to libuv. Whatever happens, it is not ours afterwards. */
static int hand_over(HANDLE pipe, uv_pipe_t *client)
{
    int descriptor = _open_osfhandle((intptr_t)pipe, _O_BINARY);
    int error;

    if (descriptor < 0) {
        CloseHandle(pipe);
        return UV_EMFILE;
    }
    error = uv_pipe_open(client, descriptor);
    if (error != 0)
        _close(descriptor);
    return error;
}

bool um_listener_has_client(const struct um_listener *listener)
{
    for (int i = 0; i < INSTANCES; i++) {
        if (listener->instances[i].state == REPORTED)
            return true;
    }
    return false;
}

int um_listener_accept(struct um_listener *listener, uv_pipe_t *client)
{
    for (int i = 0; i < INSTANCES; i++) {
        struct instance *instance = &listener->instances[i];
        HANDLE pipe = instance->pipe;

        if (instance->state != REPORTED)
            continue;
        instance->pipe = INVALID_HANDLE_VALUE;
        instance->state = EMPTY;
        refill(listener, instance);
        return hand_over(pipe, client);
    }
    return UV_EAGAIN;
}

/* ---- beginning and end ---- */

static void deinit_instance(struct instance *instance)
{
    DWORD size;

    /* Waits for a call that is under way; it only wakes the loop. */
    if (instance->wait != NULL)
        UnregisterWaitEx(instance->wait, INVALID_HANDLE_VALUE);
    if (instance->pipe != INVALID_HANDLE_VALUE && instance->state == WAITING &&
        CancelIoEx(instance->pipe, &instance->overlapped))
        GetOverlappedResult(instance->pipe, &instance->overlapped, &size, TRUE);
    drop_pipe(instance);
    if (instance->event != NULL)
        CloseHandle(instance->event);
    instance->wait = NULL;
    instance->event = NULL;
}

static void deinit(struct um_listener *listener)
{
    for (int i = 0; i < INSTANCES; i++)
        deinit_instance(&listener->instances[i]);
    um_security_free(&listener->attributes);
    um_pipe_lock_release(listener->lock);
    listener->lock = NULL;
}

static void on_failed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_closed(uv_handle_t *handle)
{
    struct um_listener *listener = handle->data;
    struct um_listener_events events = listener->events;

    free(listener);
    events.closed(events.context);
}

/* Gives the listener what was handed over, and closes what is too much. */
static void adopt_instances(struct um_listener *listener, const struct um_handed *inherited)
{
    for (size_t i = UM_HANDED_PIPE; i < inherited->count; i++) {
        HANDLE pipe = (HANDLE)inherited->handles[i];

        if (i - UM_HANDED_PIPE < INSTANCES)
            listener->instances[i - UM_HANDED_PIPE].pipe = pipe;
        else
            CloseHandle(pipe);
    }
}

/* Makes all instances that are not there. Returns 0 or a Windows error. */
static DWORD open_instances(struct um_listener *listener)
{
    bool is_first = listener->instances[0].pipe == INVALID_HANDLE_VALUE;

    for (int i = 0; i < INSTANCES; i++) {
        struct instance *instance = &listener->instances[i];
        DWORD error = 0;

        if (instance->pipe == INVALID_HANDLE_VALUE)
            error = make_pipe(listener, instance, is_first && i == 0);
        if (error != 0)
            return error;
        instance->event = CreateEventW(NULL, FALSE, FALSE, NULL);
        if (instance->event == NULL ||
            !RegisterWaitForSingleObject(&instance->wait, instance->event, on_event, instance, INFINITE,
                                         WT_EXECUTEINWAITTHREAD))
            return GetLastError();
    }
    for (int i = 0; i < INSTANCES; i++)
        wait_for_client(&listener->instances[i]);
    return 0;
}

static struct um_listener *new_pipe(const char *path, const struct um_listener_events *events)
{
    struct um_listener *made = calloc(1, sizeof *made);

    if (made == NULL)
        return NULL;
    made->events = *events;
    for (int i = 0; i < INSTANCES; i++) {
        made->instances[i].listener = made;
        made->instances[i].pipe = INVALID_HANDLE_VALUE;
    }
    MultiByteToWideChar(CP_UTF8, 0, path, -1, made->path, UM_ENDPOINT_CAPACITY);
    return made;
}

/* Takes the lock, or takes it over. */
static int get_lock(struct um_listener *listener, const struct um_listener_place *place, char *why,
                    size_t capacity)
{
    const struct um_handed *inherited = place->inherited;
    int code;

    if (inherited == NULL)
        return um_pipe_lock_acquire(place->path, &listener->lock, why, capacity);
    code = um_pipe_lock_adopt(place->path, inherited->handles[UM_HANDED_LOCK], &listener->lock);
    if (code == UMEM_OK) {
        adopt_instances(listener, inherited);
    } else {
        snprintf(why, capacity, "no memory");
        um_handed_close(inherited);
    }
    return code;
}

int um_listener_open(uv_loop_t *loop, const struct um_listener_place *place,
                     const struct um_listener_events *events, struct um_listener **listener, char *why,
                     size_t capacity)
{
    struct um_listener *made = new_pipe(place->path, events);
    DWORD error;
    int code;

    if (made == NULL) {
        snprintf(why, capacity, "no memory");
        if (place->inherited != NULL)
            um_handed_close(place->inherited);
        return UMEM_E_NO_MEMORY;
    }
    code = get_lock(made, place, why, capacity);
    if (code == UMEM_OK && (!um_security_make_for(place->allowed, UM_SECURITY_CONNECT, &made->attributes) ||
                            uv_async_init(loop, &made->wake, on_wake) != 0)) {
        snprintf(why, capacity, "%s cannot be opened: Windows error %lu", place->path, GetLastError());
        code = UMEM_E_INTERNAL_ERROR;
    }
    if (code != UMEM_OK) {
        deinit(made);
        free(made);
        return code;
    }
    made->wake.data = made;
    error = open_instances(made);
    if (error != 0) {
        bool is_taken = error == ERROR_ACCESS_DENIED || error == ERROR_PIPE_BUSY;

        snprintf(why, capacity,
                 is_taken ? "another program has %s (Windows error %lu)"
                          : "%s cannot be opened: Windows error %lu",
                 place->path, error);
        deinit(made);
        uv_close((uv_handle_t *)&made->wake, on_failed);
        return is_taken ? UMEM_E_NAME_TAKEN : UMEM_E_INTERNAL_ERROR;
    }
    *listener = made;
    return UMEM_OK;
}

/* A named pipe has no half that could be closed by itself. */
bool um_listener_is_hung_up(const uv_pipe_t *client)
{
    (void)client;
    return true;
}

enum um_listener_state um_listener_check(struct um_listener *listener, char *why, size_t capacity)
{
    (void)listener;
    (void)why;
    (void)capacity;
    return UM_LISTENER_PRESENT;
}

/* Instances that could not be made are made when the loop wakes. */
void um_listener_retry(struct um_listener *listener)
{
    uv_async_send(&listener->wake);
}

/* The duplicates are of the same instances: a client that comes before the wait for it is cancelled here is found there. */
int um_listener_hand_over(struct um_listener *listener, const char *endpoint, struct um_hand_over **hand_over,
                          char *why, size_t capacity)
{
    struct um_handed handed = {.handles = {[UM_HANDED_LOCK] = um_pipe_lock_handle(listener->lock)},
                               .count = UM_HANDED_PIPE};
    int code;

    for (int i = 0; i < INSTANCES; i++) {
        if (listener->instances[i].pipe != INVALID_HANDLE_VALUE)
            handed.handles[handed.count++] = (intptr_t)listener->instances[i].pipe;
    }
    if (handed.count == UM_HANDED_PIPE) {
        snprintf(why, capacity, "the pipe has no free place now; try again");
        return UMEM_E_DENIED;
    }
    code = um_hand_over_send(endpoint, &handed, hand_over, why, capacity);
    if (code != UMEM_OK)
        return code;
    listener->is_closing = true;
    for (int i = 0; i < INSTANCES; i++)
        deinit_instance(&listener->instances[i]);
    return UMEM_OK;
}

void um_listener_close(struct um_listener *listener)
{
    listener->is_closing = true;
    deinit(listener);
    uv_close((uv_handle_t *)&listener->wake, on_closed);
}

/* Handles do not run out before memory does, and um_listener_client_capacity() keeps the library's descriptors back. */
bool um_listener_is_near_limit(const uv_pipe_t *client)
{
    (void)client;
    return false;
}

/* There is no such table. */
void um_listener_reserve(uv_loop_t *loop, uint64_t clients)
{
    (void)loop;
    (void)clients;
}

uint64_t um_listener_client_capacity(void)
{
    return DESCRIPTORS - DESCRIPTORS_KEPT_BACK;
}

const char *um_listener_capacity_hint(void)
{
    return "";
}
