/*
 * A service runs as an account that has a password, which the service control manager keeps, and which needs the right to log on as a
 * service. It is started a while after the system (delayed start) and once more where it crashes. The start at log-on is a value of
 * the user's own registry, for which nobody has to be an administrator.
 */
#include "daemon/autostart.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>
/* These need windows.h before them. */
#include <ntsecapi.h>

#include "base/security_win32.h"
#include "daemon/daemon_process.h"
#include "daemon/exit_status.h"

enum {
    PATH_SIZE = 4096,
    COMMAND_SIZE = 8192,      /* characters of a command line */
    LOGON_COMMAND_SIZE = 260, /* as many may a value of Run have, says Windows' documentation */
    NAME_SIZE = 256,          /* of a service, says Windows' documentation */
    ACCOUNT_SIZE = 512,
    PASSWORD_SIZE = 512,
    STOP_POLLS = 600, /* 30 seconds */
    STOP_POLL_MS = 50,
    RESTARTS = 3,
    RESTART_MS = 5000,
    RESTARTS_FORGOTTEN_S = 24 * 60 * 60
};

/* The event log shows the text of a number that this program, which every Windows has, holds: see system_log_win32.c. */
static const WCHAR source_key[] = L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\umemd";
static const WCHAR source_program[] = L"%SystemRoot%\\System32\\EventCreate.exe";
static const WCHAR run_key[] = L"Software\\Microsoft\\Windows\\CurrentVersion\\Run";

static bool to_wide(const char *text, WCHAR *wide, size_t size)
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, (int)size) != 0;
}

/* Prints what could not be done, and why. */
static int fail(const char *what, DWORD error)
{
    if (error == ERROR_ACCESS_DENIED)
        fprintf(stderr, "umemd: %s: only an administrator may; open a command prompt as one\n", what);
    else
        fprintf(stderr, "umemd: %s: Windows error %lu\n", what, error);
    return UM_EXIT_FAILED;
}

/* What a service, or a start at log-on, is called. */
struct name {
    const char *shown; /* UTF-8 */
    WCHAR text[NAME_SIZE + 1];
};

/* ---- the command line of later starts ---- */

/* Room for a command line; a text that does not fit leaves is_full. */
struct command {
    WCHAR text[COMMAND_SIZE];
    size_t length;
    bool is_full;
};

static void put(struct command *command, WCHAR character)
{
    if (command->length + 1 >= COMMAND_SIZE)
        command->is_full = true;
    else
        command->text[command->length++] = character;
    command->text[command->length] = L'\0';
}

/* Adds a word as CommandLineToArgvW takes it apart: backslashes count double in front of a quote, and only there. */
static void put_word(struct command *command, const WCHAR *word)
{
    size_t backslashes = 0;

    if (command->length != 0)
        put(command, L' ');
    put(command, L'"');
    for (; *word != L'\0'; word++) {
        for (; *word == L'"' && backslashes > 0; backslashes--)
            put(command, L'\\');
        if (*word == L'"')
            put(command, L'\\');
        backslashes = *word == L'\\' ? backslashes + 1 : 0;
        put(command, *word);
    }
    for (; backslashes > 0; backslashes--)
        put(command, L'\\');
    put(command, L'"');
}

static bool put_text(struct command *command, const char *text)
{
    WCHAR wide[PATH_SIZE];

    if (!to_wide(text, wide, PATH_SIZE))
        return false;
    put_word(command, wide);
    return true;
}

static bool put_pair(struct command *command, const char *name, const char *value)
{
    char pair[PATH_SIZE];

    return snprintf(pair, sizeof pair, "%s=%s", name, value) < (int)sizeof pair && put_text(command, pair);
}

/* Adds an option with its value. A later start has another folder to begin from, so files get their whole path. */
static bool put_option(struct command *command, const struct um_option *option, const char *value)
{
    char whole[PATH_SIZE];
    bool is_file = option->value != NULL && strcmp(option->value, "FILE") == 0 &&
                   (strcmp(option->name, "--config") != 0 || strcmp(value, "none") != 0);

    if (*value == '\0')
        return put_text(command, option->name);
    if (is_file && !um_process_absolute_path(value, whole, sizeof whole))
        return false;
    /* In one word, as a flag takes its value. */
    return put_pair(command, option->name, is_file ? whole : value);
}

/* Makes the command line: this program, `start`, and the options that are about the daemon. Returns false, with the reason printed,
 * where that cannot be. */
static bool make_command(struct command *command, const char *start, char *const *argv)
{
    WCHAR program[PATH_SIZE];
    DWORD size = GetModuleFileNameW(NULL, program, PATH_SIZE);
    bool is_good = size != 0 && size < PATH_SIZE;

    *command = (struct command){.length = 0};
    if (is_good)
        put_word(command, program);
    is_good = is_good && put_text(command, start);
    for (int i = 1; is_good && argv[i] != NULL; i++) {
        const char *value;
        char error[256];
        int option = um_option_read(&um_daemon_option_table, argv, &i, &value, error, sizeof error);

        if (option >= 0 && um_daemon_option_is_kept(option))
            is_good = put_option(command, &um_daemon_option_table.options[option], value);
    }
    if (is_good && !command->is_full)
        return true;
    fprintf(stderr, "umemd: the options are too long to be kept for later starts\n");
    return false;
}

/* ---- accounts ---- */

struct account {
    union {
        SID sid;
        unsigned char space[SECURITY_MAX_SID_SIZE];
    } id;
    WCHAR name[ACCOUNT_SIZE];     /* DOMAIN\USER */
    char shown[4 * ACCOUNT_SIZE]; /* the same, as UTF-8 */
    bool has_password;
};

/* The accounts of the system, and those whose password the domain keeps, have none that could be given. */
static bool has_password(const struct account *account)
{
    PSID sid = (PSID)&account->id;
    size_t length = wcslen(account->name);

    return !IsWellKnownSid(sid, WinLocalSystemSid) && !IsWellKnownSid(sid, WinLocalServiceSid) &&
           !IsWellKnownSid(sid, WinNetworkServiceSid) && account->name[length - 1] != L'$';
}

/* Sets the name to DOMAIN\USER, as the service control manager takes it. */
static bool name_account(struct account *account)
{
    WCHAR user[ACCOUNT_SIZE / 2 - 1];
    WCHAR domain[ACCOUNT_SIZE / 2 - 1];
    DWORD user_size = sizeof user / sizeof *user;
    DWORD domain_size = sizeof domain / sizeof *domain;
    SID_NAME_USE use;

    if (!LookupAccountSidW(NULL, &account->id, user, &user_size, domain, &domain_size, &use))
        return false;
    swprintf(account->name, ACCOUNT_SIZE, L"%ls\\%ls", domain, user);
    account->has_password = has_password(account);
    return WideCharToMultiByte(CP_UTF8, 0, account->name, -1, account->shown, sizeof account->shown, NULL,
                               NULL) != 0;
}

/* ".\USER" is one of this computer. */
static bool find_sid(const char *text, struct account *account)
{
    WCHAR name[ACCOUNT_SIZE];
    WCHAR domain[ACCOUNT_SIZE];
    WCHAR *begin = name;
    DWORD sid_size = sizeof account->id;
    DWORD domain_size = ACCOUNT_SIZE;
    SID_NAME_USE use;

    if (!to_wide(text, name, ACCOUNT_SIZE))
        return false;
    if (wcsncmp(name, L".\\", 2) == 0)
        begin += 2;
    return LookupAccountNameW(NULL, begin, &account->id, &sid_size, domain, &domain_size, &use) &&
           (use == SidTypeUser || use == SidTypeWellKnownGroup || use == SidTypeComputer);
}

static bool find_account(const char *text, struct account *account)
{
    union um_user user;

    if (text == NULL) {
        if (um_security_user_of(GetCurrentProcess(), &user) &&
            CopySid(sizeof account->id, &account->id, user.token.User.Sid) && name_account(account))
            return true;
        fprintf(stderr, "umemd: your account is not known; give it with --account\n");
        return false;
    }
    if (find_sid(text, account) && name_account(account))
        return true;
    fprintf(stderr, "umemd: there is no account %s (Windows error %lu)\n", text, GetLastError());
    return false;
}

/* ---- the password ---- */

/* Removes the end of the line. */
static bool end_line(WCHAR *text, size_t length)
{
    if (length == 0)
        return false;
    text[length] = L'\0';
    text[wcscspn(text, L"\r\n")] = L'\0';
    return true;
}

/* From a console, which shows nothing of it. */
static bool type_password(HANDLE console, DWORD mode, const struct account *account,
                          WCHAR password[PASSWORD_SIZE])
{
    DWORD length = 0;
    BOOL is_read;

    fprintf(stderr, "Password of %s: ", account->shown);
    fflush(stderr);
    SetConsoleMode(console, mode & ~(DWORD)ENABLE_ECHO_INPUT);
    is_read = ReadConsoleW(console, password, PASSWORD_SIZE - 1, &length, NULL);
    SetConsoleMode(console, mode);
    fputc('\n', stderr);
    return is_read && end_line(password, length);
}

/* From a file or pipe: one line of UTF-8. */
static bool read_password(WCHAR password[PASSWORD_SIZE])
{
    char line[PASSWORD_SIZE];
    bool is_read = fgets(line, sizeof line, stdin) != NULL && to_wide(line, password, PASSWORD_SIZE - 1) &&
                   end_line(password, wcslen(password));

    SecureZeroMemory(line, sizeof line);
    return is_read;
}

/* From UMEM_SERVICE_PASSWORD, where it is set, else from standard input. It is never an argument, which others can see. */
static bool get_password(const struct account *account, WCHAR password[PASSWORD_SIZE])
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    DWORD size = GetEnvironmentVariableW(L"UMEM_SERVICE_PASSWORD", password, PASSWORD_SIZE);
    DWORD mode;

    if (size != 0 && size < PASSWORD_SIZE)
        return true;
    if (GetConsoleMode(input, &mode) ? type_password(input, mode, account, password)
                                     : read_password(password))
        return true;
    fprintf(stderr,
            "umemd: no password of %s: type it, or give it as a line of standard input or in the "
            "environment as UMEM_SERVICE_PASSWORD\n",
            account->shown);
    return false;
}

/* ---- the service ---- */

static bool grant_logon(const struct account *account)
{
    WCHAR name[] = L"SeServiceLogonRight";
    LSA_UNICODE_STRING right = {
        .Buffer = name, .Length = sizeof name - sizeof *name, .MaximumLength = sizeof name};
    LSA_OBJECT_ATTRIBUTES attributes = {.Length = sizeof attributes};
    LSA_HANDLE policy;
    NTSTATUS status = LsaOpenPolicy(NULL, &attributes, POLICY_CREATE_ACCOUNT | POLICY_LOOKUP_NAMES, &policy);

    if (status == 0) {
        status = LsaAddAccountRights(policy, (PSID)&account->id, &right, 1);
        LsaClose(policy);
    }
    SetLastError(LsaNtStatusToWinError(status));
    return status == 0;
}

/* A system that does not know what is to be set (Wine) goes without. */
static bool set(SC_HANDLE service, DWORD level, void *value)
{
    return ChangeServiceConfig2W(service, level, value) || GetLastError() == ERROR_INVALID_LEVEL;
}

/* A crash is a reason to start again; an end that umemd reports is not: wrong options, or a pipe that is taken, would be so
 * again. */
static bool configure(SC_HANDLE service)
{
    static WCHAR text[] = L"Owns heap memory and lends it, by handle, to the programs of its account.";
    SC_ACTION actions[RESTARTS + 1] = {{.Type = SC_ACTION_NONE}};
    SERVICE_DESCRIPTIONW description = {.lpDescription = text};
    SERVICE_DELAYED_AUTO_START_INFO delayed = {.fDelayedAutostart = TRUE};
    SERVICE_FAILURE_ACTIONSW failure = {
        .dwResetPeriod = RESTARTS_FORGOTTEN_S, .cActions = RESTARTS + 1, .lpsaActions = actions};

    for (int i = 0; i < RESTARTS; i++)
        actions[i] = (SC_ACTION){.Type = SC_ACTION_RESTART, .Delay = RESTART_MS};
    actions[RESTARTS] = (SC_ACTION){.Type = SC_ACTION_NONE};
    return set(service, SERVICE_CONFIG_DESCRIPTION, &description) &&
           set(service, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed) &&
           set(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure);
}

/* For a service that logs to the event log. */
static bool name_event_source(void)
{
    SetLastError((DWORD)RegSetKeyValueW(HKEY_LOCAL_MACHINE, source_key, L"EventMessageFile", REG_EXPAND_SZ,
                                        source_program, sizeof source_program));
    return GetLastError() == ERROR_SUCCESS;
}

static int fail_create(const struct name *name, const struct account *account, DWORD error)
{
    if (error == ERROR_SERVICE_EXISTS || error == ERROR_DUPLICATE_SERVICE_NAME)
        fprintf(stderr,
                "umemd: there is a service %s already; remove it (--remove-service) or choose another "
                "name (--name)\n",
                name->shown);
    else if (error == ERROR_INVALID_SERVICE_ACCOUNT)
        fprintf(stderr, "umemd: Windows takes no service of the account %s with this password\n",
                account->shown);
    else
        return fail("the service cannot be installed", error);
    return UM_EXIT_FAILED;
}

static int create_service(SC_HANDLE manager, const struct name *name, const struct command *command,
                          const struct account *account, const WCHAR *password)
{
    SC_HANDLE service = CreateServiceW(manager, name->text, name->text, SERVICE_ALL_ACCESS,
                                       SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                                       command->text, NULL, NULL, NULL, account->name, password);
    int status = UM_EXIT_ENDED;

    if (service == NULL)
        return fail_create(name, account, GetLastError());
    if (!configure(service) || !grant_logon(account) || !name_event_source()) {
        status = fail("the service cannot be set up", GetLastError());
        DeleteService(service);
    }
    CloseServiceHandle(service);
    if (status == UM_EXIT_ENDED)
        printf("The service %s is installed. Only programs of %s get in. Start it now: sc.exe start %s\n",
               name->shown, account->shown, name->shown);
    return status;
}

static bool is_installed(SC_HANDLE manager, const struct name *name)
{
    SC_HANDLE service = OpenServiceW(manager, name->text, SERVICE_QUERY_STATUS);

    if (service != NULL)
        CloseServiceHandle(service);
    return service != NULL;
}

static int install_service(const struct name *name, const char *account_name, char *const *argv)
{
    static struct command command;
    WCHAR password[PASSWORD_SIZE] = L"";
    struct account account;
    SC_HANDLE manager;
    int status = UM_EXIT_FAILED;

    if (!make_command(&command, "--service", argv) || !find_account(account_name, &account))
        return status;
    manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
    if (manager == NULL)
        return fail("the service cannot be installed", GetLastError());
    /* Nobody should type a password in vain. */
    if (is_installed(manager, name))
        status = fail_create(name, &account, ERROR_SERVICE_EXISTS);
    else if (!account.has_password || get_password(&account, password))
        status = create_service(manager, name, &command, &account, account.has_password ? password : NULL);
    SecureZeroMemory(password, sizeof password);
    CloseServiceHandle(manager);
    return status;
}

/* Whether a service runs umemd, wherever it lies. */
static bool is_ours(SC_HANDLE service)
{
    union {
        QUERY_SERVICE_CONFIGW config;
        unsigned char space[8 * 1024]; /* says Windows' documentation */
    } read;
    DWORD size;

    return QueryServiceConfigW(service, &read.config, sizeof read, &size) &&
           wcsstr(read.config.lpBinaryPathName, L"umemd") != NULL &&
           wcsstr(read.config.lpBinaryPathName, L"--service") != NULL;
}

/* Requests the end, and waits for it. */
static bool stop_service(SC_HANDLE service)
{
    SERVICE_STATUS status;

    if (!ControlService(service, SERVICE_CONTROL_STOP, &status))
        return GetLastError() == ERROR_SERVICE_NOT_ACTIVE;
    for (int i = 0; i < STOP_POLLS && status.dwCurrentState != SERVICE_STOPPED; i++) {
        Sleep(STOP_POLL_MS);
        if (!QueryServiceStatus(service, &status))
            return false;
    }
    SetLastError(ERROR_SERVICE_REQUEST_TIMEOUT);
    return status.dwCurrentState == SERVICE_STOPPED;
}

static int fail_open(const struct name *name, DWORD error)
{
    if (error != ERROR_SERVICE_DOES_NOT_EXIST)
        return fail("the service cannot be removed", error);
    fprintf(stderr, "umemd: there is no service %s\n", name->shown);
    return UM_EXIT_FAILED;
}

static int remove_found(SC_HANDLE service, const struct name *name)
{
    if (!is_ours(service)) {
        fprintf(stderr, "umemd: the service %s does not run umemd\n", name->shown);
        return UM_EXIT_FAILED;
    }
    if (!stop_service(service))
        return fail("the service does not stop", GetLastError());
    if (!DeleteService(service))
        return fail("the service cannot be removed", GetLastError());
    printf("The service %s is removed.\n", name->shown);
    return UM_EXIT_ENDED;
}

static int remove_service(const struct name *name)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service;
    int status;

    if (manager == NULL)
        return fail("the service cannot be removed", GetLastError());
    service = OpenServiceW(manager, name->text,
                           SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS | SERVICE_STOP | DELETE);
    if (service != NULL) {
        status = remove_found(service, name);
        CloseServiceHandle(service);
    } else {
        status = fail_open(name, GetLastError());
    }
    CloseServiceHandle(manager);
    return status;
}

/* ---- the start at log-on ---- */

static int install_logon(const struct name *name, char *const *argv)
{
    static struct command command;
    LSTATUS error;

    if (!make_command(&command, "--daemon", argv))
        return UM_EXIT_FAILED;
    if (command.length > LOGON_COMMAND_SIZE) {
        fprintf(
            stderr,
            "umemd: Windows keeps %d characters for a start at log-on, and program and options have %zu\n",
            LOGON_COMMAND_SIZE, command.length);
        return UM_EXIT_FAILED;
    }
    error = RegSetKeyValueW(HKEY_CURRENT_USER, run_key, name->text, REG_SZ, command.text,
                            (DWORD)((command.length + 1) * sizeof *command.text));
    if (error != ERROR_SUCCESS)
        return fail("the start at log-on cannot be set up", (DWORD)error);
    printf("umemd is started when you log on. Start it now: umemd --daemon\n");
    return UM_EXIT_ENDED;
}

static int remove_logon(const struct name *name)
{
    LSTATUS error = RegDeleteKeyValueW(HKEY_CURRENT_USER, run_key, name->text);

    if (error == ERROR_FILE_NOT_FOUND) {
        fprintf(stderr, "umemd: no start at log-on has the name %s\n", name->shown);
        return UM_EXIT_FAILED;
    }
    if (error != ERROR_SUCCESS)
        return fail("the start at log-on cannot be removed", (DWORD)error);
    printf("umemd is no longer started when you log on.\n");
    return UM_EXIT_ENDED;
}

int um_autostart(const struct um_daemon_options *options, char *const *argv)
{
    struct name name = {.shown = options->name != NULL ? options->name : "umemd"};

    if (*name.shown == '\0' || !to_wide(name.shown, name.text, NAME_SIZE + 1)) {
        fprintf(stderr, "umemd: --name takes at most %d characters\n", NAME_SIZE);
        return UM_EXIT_USAGE;
    }
    switch (options->action) {
    case UM_ACTION_INSTALL_SERVICE:
        return install_service(&name, options->account, argv);
    case UM_ACTION_REMOVE_SERVICE:
        return remove_service(&name);
    case UM_ACTION_INSTALL_LOGON:
        return install_logon(&name, argv);
    default:
        return remove_logon(&name);
    }
}
