/*
 * The service control manager's side of a service.
 *
 * The manager wants a thread for itself, which waits for what it sends, and calls us without a context; so
 * there is one service in a process, whose memory is static. The manager's requests come on that thread, at
 * any time: also before the pipe is open and while the loop closes.
 *
 * SetServiceStatus() is never called with the lock held, nor by two threads at one time: the manager's library may hold a lock
 * of its own while it calls us, and takes it in SetServiceStatus() too. So a thread that finds another one reporting leaves it to
 * that one to report once more.
 */
#include "daemon/service.h"

#include <stdint.h>
#include <stdio.h>
#include <windows.h>

enum {
    START_MS = 30000, /* what a start may take */
    MARGIN_MS = 5000, /* what the end may take beside what it takes by the limits */
    LEAVE_MS = 5000   /* how long the manager's thread may take to return once the end was reported */
};

/* How far the service has come. It only moves to a later stage. */
enum stage {
    STAGE_NONE, /* the manager has not called us */
    STAGE_STARTING,
    STAGE_RUNNING,
    STAGE_ENDING,
    STAGE_ENDED /* nothing of the loop may be touched any more */
};

struct um_service {
    SRWLOCK lock;               /* around what follows, as far as both threads use it */
    CONDITION_VARIABLE changed; /* stage, error or is_reporting did */
    enum stage stage;
    DWORD error;                  /* why the manager is not there; 0: it is, or nothing is known yet */
    SERVICE_STATUS_HANDLE handle; /* set before STAGE_STARTING */
    int status;                   /* what the process ends with, from STAGE_ENDED on */
    bool is_reporting;            /* a thread is */
    bool is_stale;                /* it has to report once more */

    HANDLE thread;     /* the manager's */
    uv_async_t stop;   /* the manager requests the end */
    uv_async_t reload; /* it requests that the settings are read again */
    struct um_service_events events;
};

static struct um_service the_service = {.lock = SRWLOCK_INIT, .changed = CONDITION_VARIABLE_INIT};

/* ---- what is reported to the manager ---- */

static SERVICE_STATUS status_of(const struct um_service *service)
{
    SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS};

    switch (service->stage) {
    case STAGE_NONE:
    case STAGE_STARTING:
        status.dwCurrentState = SERVICE_START_PENDING;
        status.dwCheckPoint = 1;
        status.dwWaitHint = START_MS;
        break;
    case STAGE_RUNNING:
        status.dwCurrentState = SERVICE_RUNNING;
        status.dwControlsAccepted =
            SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
        break;
    case STAGE_ENDING:
        status.dwCurrentState = SERVICE_STOP_PENDING;
        status.dwCheckPoint = 1;
        status.dwWaitHint = service->events.ending_ms + MARGIN_MS;
        break;
    case STAGE_ENDED:
        status.dwCurrentState = SERVICE_STOPPED;
        status.dwWin32ExitCode = service->status != 0 ? ERROR_SERVICE_SPECIFIC_ERROR : NO_ERROR;
        status.dwServiceSpecificExitCode = (DWORD)service->status;
        break;
    }
    return status;
}

/* Advances to a stage and reports it, or lets the thread that is reporting do so; does nothing where the service is as far
 * already. The caller holds the lock, which is released in between. */
static void advance(struct um_service *service, enum stage stage)
{
    if (stage <= service->stage)
        return;
    service->stage = stage;
    service->is_stale = true;
    if (service->is_reporting)
        return;
    service->is_reporting = true;
    while (service->is_stale) {
        SERVICE_STATUS status = status_of(service);

        service->is_stale = false;
        ReleaseSRWLockExclusive(&service->lock);
        SetServiceStatus(service->handle, &status);
        AcquireSRWLockExclusive(&service->lock);
    }
    service->is_reporting = false;
    WakeAllConditionVariable(&service->changed);
}

static void lock_and_advance(struct um_service *service, enum stage stage)
{
    AcquireSRWLockExclusive(&service->lock);
    advance(service, stage);
    ReleaseSRWLockExclusive(&service->lock);
}

/* ---- the manager's threads ---- */

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
    struct um_service *service = context;

    (void)type;
    (void)data;
    switch (control) {
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR; /* the manager knows what was reported last */
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
        AcquireSRWLockExclusive(&service->lock);
        if (service->stage != STAGE_ENDED)
            uv_async_send(&service->stop);
        advance(service, STAGE_ENDING);
        ReleaseSRWLockExclusive(&service->lock);
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
        AcquireSRWLockExclusive(&service->lock);
        if (service->stage != STAGE_ENDED)
            uv_async_send(&service->reload);
        ReleaseSRWLockExclusive(&service->lock);
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

/* What went wrong before the manager has called us; what does later is not asked for. */
static void give_up(struct um_service *service, DWORD error)
{
    AcquireSRWLockExclusive(&service->lock);
    if (service->stage == STAGE_NONE && service->error == 0)
        service->error = error;
    WakeAllConditionVariable(&service->changed);
    ReleaseSRWLockExclusive(&service->lock);
}

/* Has nothing to do but to begin: the loop does the work, and may go on when this has returned. */
static void WINAPI on_begin(DWORD argc, WCHAR **argv)
{
    struct um_service *service = &the_service;

    (void)argc;
    service->handle = RegisterServiceCtrlHandlerExW(argv[0], on_control, service);
    if (service->handle == NULL)
        give_up(service, GetLastError());
    else
        lock_and_advance(service, STAGE_STARTING);
}

static DWORD WINAPI serve_manager(void *context)
{
    static WCHAR name[] = L"umemd"; /* the manager ignores it where there is one service in a process */
    static const SERVICE_TABLE_ENTRYW services[] = {{name, on_begin}, {NULL, NULL}};

    /* It comes back where there is no manager, or with the end of the service. */
    give_up(context, StartServiceCtrlDispatcherW(services) ? ERROR_SERVICE_NOT_ACTIVE : GetLastError());
    return 0;
}

/* ---- the loop's thread ---- */

static void on_stop(uv_async_t *async)
{
    struct um_service *service = async->data;

    service->events.stop(service->events.context);
}

static void on_reload(uv_async_t *async)
{
    struct um_service *service = async->data;

    service->events.reload(service->events.context);
}

static void close_asyncs(struct um_service *service)
{
    uv_close((uv_handle_t *)&service->stop, NULL);
    uv_close((uv_handle_t *)&service->reload, NULL);
}

/* Waits until the manager has called us, or will not. Returns 0 or a Windows error. */
static DWORD meet_manager(struct um_service *service)
{
    DWORD error;

    service->thread = CreateThread(NULL, 0, serve_manager, service, 0, NULL);
    if (service->thread == NULL)
        return GetLastError();
    AcquireSRWLockExclusive(&service->lock);
    while (service->error == 0 && (service->stage == STAGE_NONE || service->is_reporting))
        SleepConditionVariableSRW(&service->changed, &service->lock, INFINITE, 0);
    error = service->error;
    ReleaseSRWLockExclusive(&service->lock);
    /* The thread has ended or is about to; or it never returns from the manager, and then it ends with the
     * process. */
    if (error != 0)
        CloseHandle(service->thread);
    return error;
}

bool um_service_open(uv_loop_t *loop, bool asked, const struct um_service_events *events,
                     struct um_service **service, char *reason, size_t reason_size)
{
    struct um_service *made = &the_service;
    DWORD error;

    if (!asked)
        return true;
    if (uv_async_init(loop, &made->stop, on_stop) != 0) {
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    if (uv_async_init(loop, &made->reload, on_reload) != 0) {
        uv_close((uv_handle_t *)&made->stop, NULL);
        snprintf(reason, reason_size, "no memory");
        return false;
    }
    made->stop.data = made;
    made->reload.data = made;
    made->events = *events;
    uv_unref((uv_handle_t *)&made->stop);
    uv_unref((uv_handle_t *)&made->reload);
    error = meet_manager(made);
    if (error == 0) {
        *service = made;
        return true;
    }
    close_asyncs(made);
    if (error == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT)
        snprintf(
            reason, reason_size,
            "--service is for the service control manager, which did not start this process; leave it out, "
            "or start the service with: sc start NAME");
    else
        snprintf(reason, reason_size, "the service control manager cannot be reached: Windows error %lu",
                 error);
    return false;
}

bool um_service_is_there(const struct um_service *service)
{
    return service != NULL;
}

int um_service_socket(const struct um_service *service)
{
    (void)service;
    return 0;
}

void um_service_ready(struct um_service *service, const char *pipe)
{
    (void)pipe;
    if (service != NULL)
        lock_and_advance(service, STAGE_RUNNING);
}

void um_service_ending(struct um_service *service)
{
    if (service != NULL)
        lock_and_advance(service, STAGE_ENDING);
}

void um_service_close(struct um_service *service, int status)
{
    if (service == NULL)
        return;
    AcquireSRWLockExclusive(&service->lock);
    service->status = status;
    advance(service, STAGE_ENDED);
    /* Another thread may be at it. A process that ends before that was reported has failed, to the manager. */
    while (service->is_reporting)
        SleepConditionVariableSRW(&service->changed, &service->lock, INFINITE, 0);
    ReleaseSRWLockExclusive(&service->lock);
    close_asyncs(service);
    /* The manager gives the thread back, unless the report could not reach it; then the thread ends with the process. */
    WaitForSingleObject(service->thread, LEAVE_MS);
    CloseHandle(service->thread);
}
