/*
 * A service and its manager, which is one of the test's own here, so that controls come at the moments at which the real one's
 * seldom do. What the source calls of the system is called by other names, so the source is compiled as a part of this file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <cmocka.h>
#include <uv.h>

static BOOL WINAPI take_services(const SERVICE_TABLE_ENTRYW *services);
static SERVICE_STATUS_HANDLE WINAPI take_handler(const WCHAR *name, LPHANDLER_FUNCTION_EX handler,
                                                 void *context);
static BOOL WINAPI take_status(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status);

#define StartServiceCtrlDispatcherW take_services
#define RegisterServiceCtrlHandlerExW take_handler
#define SetServiceStatus take_status
#include "daemon/service_win32.c"

enum { ENDING_MS = 1234, ROUNDS = 100, CONTROLS = 50, REPORTS = 16 };

static struct {
    CRITICAL_SECTION lock; /* held around a control and in every call, as Wine's library does */
    DWORD refusal;         /* it takes no services, for this reason */
    DWORD handler_refusal; /* it takes no handler, for this reason */
    HANDLE thread;         /* the one that serves it */
    HANDLE end;            /* gives the thread back */
    HANDLE given_back;     /* the thread was */
    LPHANDLER_FUNCTION_EX handler;
    void *context;
    SERVICE_STATUS reports[REPORTS];
    DWORD reporter;          /* the last report's thread */
    volatile LONG count;     /* of reports */
    volatile LONG reporting; /* threads that report at this moment */
    volatile LONG overlaps;  /* reports while another thread reported */
    bool holds_stop_pending; /* that report lasts until the end */
    HANDLE is_held;          /* set when it does */
} manager;

/* ---- the manager ---- */

static BOOL WINAPI take_services(const SERVICE_TABLE_ENTRYW *services)
{
    WCHAR name[] = L"test";
    WCHAR *arguments[] = {name, NULL};

    manager.thread = OpenThread(SYNCHRONIZE, FALSE, GetCurrentThreadId());
    if (manager.refusal != 0) {
        SetLastError(manager.refusal);
        return FALSE;
    }
    services[0].lpServiceProc(1, arguments);
    WaitForSingleObject(manager.end, INFINITE);
    SetEvent(manager.given_back);
    return TRUE;
}

static SERVICE_STATUS_HANDLE WINAPI take_handler(const WCHAR *name, LPHANDLER_FUNCTION_EX handler,
                                                 void *context)
{
    (void)name;
    if (manager.handler_refusal != 0) {
        SetLastError(manager.handler_refusal);
        return NULL;
    }
    manager.handler = handler;
    manager.context = context;
    return (SERVICE_STATUS_HANDLE)&manager;
}

static BOOL WINAPI take_status(SERVICE_STATUS_HANDLE handle, SERVICE_STATUS *status)
{
    (void)handle;
    if (InterlockedIncrement(&manager.reporting) != 1)
        InterlockedIncrement(&manager.overlaps);
    SwitchToThread();
    if (manager.holds_stop_pending && status->dwCurrentState == SERVICE_STOP_PENDING) {
        SetEvent(manager.is_held);
        while (*(volatile enum stage *)&the_service.stage != STAGE_ENDED)
            SwitchToThread();
        Sleep(20); /* reveals a thread that does not wait for it */
    }
    if (manager.count < REPORTS)
        manager.reports[manager.count] = *status;
    manager.reporter = GetCurrentThreadId();
    InterlockedIncrement(&manager.count);
    InterlockedDecrement(&manager.reporting);
    EnterCriticalSection(&manager.lock);
    if (status->dwCurrentState == SERVICE_STOPPED)
        SetEvent(manager.end);
    LeaveCriticalSection(&manager.lock);
    return TRUE;
}

static DWORD control(DWORD code)
{
    DWORD answer;

    EnterCriticalSection(&manager.lock);
    answer = manager.handler(code, 0, NULL, manager.context);
    LeaveCriticalSection(&manager.lock);
    return answer;
}

static DWORD WINAPI request_the_end(void *context)
{
    (void)context;
    control(SERVICE_CONTROL_STOP);
    return 0;
}

static DWORD WINAPI request_much(void *context)
{
    (void)context;
    for (int i = 0; i < CONTROLS; i++) {
        control(i % 2 == 0 ? SERVICE_CONTROL_INTERROGATE : SERVICE_CONTROL_SHUTDOWN);
        SwitchToThread();
    }
    return 0;
}

/* The states that were reported, a digit each. */
static void expect_states(const char *expected)
{
    char states[REPORTS + 1] = "";

    for (LONG i = 0; i < manager.count && i < REPORTS; i++)
        states[i] = (char)('0' + manager.reports[i].dwCurrentState);
    assert_string_equal(states, expected);
    assert_int_equal(manager.overlaps, 0);
}

/* ---- the service ---- */

static uv_loop_t loop;
static uv_async_t server; /* keeps the loop running until the end is requested */
static struct um_service *service;
static int stops;
static int reloads;
static char reason[512];

static void on_stop_asked(void *context)
{
    assert_ptr_equal(context, &stops);
    if (stops++ == 0)
        uv_close((uv_handle_t *)&server, NULL);
}

static void on_nothing(uv_async_t *async)
{
    (void)async;
}

/* Turns the loop until it has received the request to end. */
static void expect_stop(void)
{
    assert_int_equal(uv_async_init(&loop, &server, on_nothing), 0);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_true(stops > 0);
}

static void on_reload_asked(void *context)
{
    assert_ptr_equal(context, &stops);
    if (reloads++ == 0)
        uv_close((uv_handle_t *)&server, NULL);
}

static bool open_service(bool asked)
{
    const struct um_service_events events = {&stops, on_stop_asked, on_reload_asked, ENDING_MS};

    return um_service_open(&loop, asked, &events, &service, reason, sizeof reason);
}

static void close_loop(void)
{
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int set_up(void **state)
{
    (void)state;
    memset(&the_service, 0, sizeof the_service);
    memset(&manager, 0, sizeof manager);
    InitializeCriticalSection(&manager.lock);
    manager.end = CreateEventA(NULL, TRUE, FALSE, NULL);
    manager.given_back = CreateEventA(NULL, TRUE, FALSE, NULL);
    manager.is_held = CreateEventA(NULL, TRUE, FALSE, NULL);
    service = NULL;
    stops = 0;
    reloads = 0;
    reason[0] = '\0';
    return uv_loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    /* What the thread does at its very end is not to be found by the next test. */
    if (manager.thread != NULL) {
        SetEvent(manager.end);
        assert_int_equal(WaitForSingleObject(manager.thread, INFINITE), WAIT_OBJECT_0);
        CloseHandle(manager.thread);
    }
    CloseHandle(manager.end);
    CloseHandle(manager.given_back);
    CloseHandle(manager.is_held);
    DeleteCriticalSection(&manager.lock);
    return 0;
}

/* ---- the tests ---- */

static void not_asked_for(void **state)
{
    (void)state;
    assert_true(open_service(false));
    assert_null(service);
    assert_int_equal(um_service_socket(service), 0);
    um_service_ready(service, "pipe");
    um_service_ending(service);
    um_service_close(service, 3);
    expect_states("");
    close_loop();
}

static void not_started_by_the_manager(void **state)
{
    (void)state;
    manager.refusal = ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
    assert_false(open_service(true));
    assert_null(service);
    assert_non_null(strstr(reason, "sc start NAME"));
    expect_states("");
    close_loop();
}

static void the_manager_fails(void **state)
{
    (void)state;
    manager.refusal = ERROR_ACCESS_DENIED;
    assert_false(open_service(true));
    assert_non_null(strstr(reason, "Windows error 5"));
    expect_states("");
    close_loop();
}

/* The manager keeps the thread then, because it waits for a report that cannot be made. */
static void the_handler_is_refused(void **state)
{
    (void)state;
    manager.handler_refusal = ERROR_NOT_ENOUGH_MEMORY;
    assert_false(open_service(true));
    assert_non_null(strstr(reason, "Windows error 8"));
    expect_states("");
    close_loop();
}

static void from_the_begin_to_the_end(void **state)
{
    const DWORD accepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;

    (void)state;
    assert_true(open_service(true));
    expect_states("2");
    assert_true(manager.reports[0].dwWaitHint > 0 && manager.reports[0].dwCheckPoint > 0);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* it does not keep the loop running */
    um_service_ready(service, "pipe");
    expect_states("24");
    assert_int_equal(manager.reports[1].dwControlsAccepted, accepted);
    assert_int_equal(control(SERVICE_CONTROL_INTERROGATE), NO_ERROR);
    assert_int_equal(control(SERVICE_CONTROL_PAUSE), ERROR_CALL_NOT_IMPLEMENTED);
    assert_int_equal(stops, 0);
    um_service_ending(service);
    um_service_ending(service);
    expect_states("243");
    assert_true(manager.reports[2].dwWaitHint > ENDING_MS && manager.reports[2].dwCheckPoint > 0);
    um_service_close(service, 0);
    expect_states("2431");
    assert_int_equal(manager.reports[3].dwWin32ExitCode, NO_ERROR);
    assert_int_equal(WaitForSingleObject(manager.given_back, 0), WAIT_OBJECT_0);
    close_loop();
}

static void it_tells_how_it_failed(void **state)
{
    (void)state;
    assert_true(open_service(true));
    um_service_close(service, 3);
    expect_states("21");
    assert_int_equal(manager.reports[1].dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
    assert_int_equal(manager.reports[1].dwServiceSpecificExitCode, 3);
    close_loop();
}

/* The control is answered at once; the loop learns of it when it comes round. */
static void a_stop_from_the_loop(void **state)
{
    (void)state;
    assert_true(open_service(true));
    um_service_ready(service, "pipe");
    assert_int_equal(control(SERVICE_CONTROL_STOP), NO_ERROR);
    expect_states("243");
    assert_int_equal(stops, 0);
    expect_stop();
    um_service_close(service, 0);
    close_loop();
}

/* Nor is one passed to a loop that is closed. */
static void new_settings(void **state)
{
    (void)state;
    assert_true(open_service(true));
    um_service_ready(service, "pipe");
    assert_int_equal(control(SERVICE_CONTROL_PARAMCHANGE), NO_ERROR);
    expect_states("24");
    assert_int_equal(reloads, 0);
    assert_int_equal(uv_async_init(&loop, &server, on_nothing), 0);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(reloads, 1);
    assert_int_equal(stops, 0);
    um_service_close(service, 0);
    close_loop();
    assert_int_equal(control(SERVICE_CONTROL_PARAMCHANGE), NO_ERROR);
    assert_int_equal(reloads, 1);
}

static void a_stop_before_the_pipe_is_open(void **state)
{
    (void)state;
    assert_true(open_service(true));
    assert_int_equal(control(SERVICE_CONTROL_STOP), NO_ERROR);
    um_service_ready(service, "pipe");
    expect_states("23");
    expect_stop();
    um_service_close(service, 0);
    expect_states("231");
    close_loop();
}

/* A stop before or after the end is not passed to a loop that is closed. */
static void a_stop_around_the_end(void **state)
{
    (void)state;
    assert_true(open_service(true));
    um_service_ready(service, "pipe");
    assert_int_equal(control(SERVICE_CONTROL_SHUTDOWN), NO_ERROR);
    um_service_close(service, 0);
    assert_int_equal(control(SERVICE_CONTROL_SHUTDOWN), NO_ERROR);
    close_loop();
    assert_int_equal(control(SERVICE_CONTROL_STOP), NO_ERROR);
    expect_states("2431");
    assert_int_equal(stops, 0);
}

/* Then the control's thread reports that too, and the loop's waits for it, also where the manager's has come back already. */
static void the_end_comes_while_a_stop_is_reported(void **state)
{
    HANDLE thread;
    DWORD id;

    (void)state;
    manager.holds_stop_pending = true;
    assert_true(open_service(true));
    um_service_ready(service, "pipe");
    thread = CreateThread(NULL, 0, request_the_end, NULL, 0, &id);
    assert_non_null(thread);
    WaitForSingleObject(manager.is_held, INFINITE);
    SetEvent(manager.end);
    um_service_ending(service);
    um_service_close(service, 0);
    expect_states("2431");
    assert_int_equal(manager.reporter, id);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    close_loop();
}

/* Whatever comes first, states follow each other, one at a time, and the last one is the end. */
static void controls_at_any_time(void **state)
{
    for (int i = 0; i < ROUNDS; i++) {
        HANDLE thread;

        if (i > 0)
            assert_int_equal(set_up(state), 0);
        assert_true(open_service(true));
        thread = CreateThread(NULL, 0, request_much, NULL, 0, NULL);
        assert_non_null(thread);
        um_service_ready(service, "pipe");
        if (i % 2 == 0)
            expect_stop();
        um_service_ending(service);
        um_service_close(service, i);
        assert_int_equal(WaitForSingleObject(manager.given_back, 0), WAIT_OBJECT_0);
        close_loop();
        WaitForSingleObject(thread, INFINITE);
        CloseHandle(thread);
        expect_states(manager.count == 4 ? "2431" : "231");
        assert_int_equal(manager.reports[manager.count - 1].dwServiceSpecificExitCode, i);
        if (i + 1 < ROUNDS)
            tear_down(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(not_asked_for),
        TEST(not_started_by_the_manager),
        TEST(the_manager_fails),
        TEST(the_handler_is_refused),
        TEST(from_the_begin_to_the_end),
        TEST(it_tells_how_it_failed),
        TEST(a_stop_from_the_loop),
        TEST(new_settings),
        TEST(a_stop_before_the_pipe_is_open),
        TEST(a_stop_around_the_end),
        TEST(the_end_comes_while_a_stop_is_reported),
        TEST(controls_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
