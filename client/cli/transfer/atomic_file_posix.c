#include "cli/transfer/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/files.h"

/* What a signal removes before it ends the process; NULL: nothing. */
static const char *volatile unfinished;

static const int ending_signals[] = {SIGHUP, SIGINT, SIGTERM};

enum { ENDING_COUNT = sizeof ending_signals / sizeof ending_signals[0] };

static void on_signal(int signal_number)
{
    if (unfinished != NULL)
        unlink(unfinished);
    /* It was set back to its default action, which follows when this returns. */
    raise(signal_number);
}

static void remove_when_interrupted(const char *path)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;

    unfinished = path;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDING_COUNT; i++) {
        /* What was ignored stays so. */
        if (sigaction(ending_signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(ending_signals[i], &action, NULL);
    }
}

void cli_forget_temporary(void)
{
    unfinished = NULL;
}

void cli_keep_temporary(int file)
{
    (void)file;
}

/* Names there stand for open files, whose paths must not be replaced. */
static bool is_of_the_system(const char *path)
{
    return strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
}

char *cli_find_target(const char *path, const uv_stat_t *old)
{
    struct stat link;

    if (is_of_the_system(path))
        return NULL;
    if (old != NULL)
        return S_ISREG(old->st_mode) && old->st_nlink == 1 && old->st_uid == geteuid() ? realpath(path, NULL)
                                                                                       : NULL;
    /* A link that leads nowhere is followed by creating the file there. */
    return lstat(path, &link) != 0 && errno == ENOENT ? strdup(path) : NULL;
}

/* A signal comes before the file is there, or when it is known what to remove. */
static int create_guarded(const char *path)
{
    sigset_t ending;
    sigset_t before;
    int file;
    int error;

    sigemptyset(&ending);
    for (int i = 0; i < ENDING_COUNT; i++)
        sigaddset(&ending, ending_signals[i]);
    sigprocmask(SIG_BLOCK, &ending, &before);
    file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    error = errno;
    if (file >= 0)
        remove_when_interrupted(path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return file >= 0 ? file : uv_translate_sys_error(error);
}

int cli_create_temporary(const char *path, const uv_stat_t *old)
{
    int file = create_guarded(path);
    int error;

    if (file < 0 || old == NULL ||
        (fchown(file, (uid_t)-1, (gid_t)old->st_gid) == 0 && fchmod(file, (mode_t)old->st_mode & 07777) == 0))
        return file;
    error = errno;
    close(file);
    unlink(path);
    cli_forget_temporary();
    return uv_translate_sys_error(error);
}

int cli_replace_file(const char *temporary, const char *target)
{
    return um_file_rename(temporary, target);
}
