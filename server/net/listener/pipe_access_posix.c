/*
 * The rights of a socket are its mode and its directories': whoever may write to a directory may put a socket of their own
 * in the place of ours. (Access lists cannot let anybody in past a mode of 0600 or 0700: the group's bits limit them. Of a socket that
 * a group may use they could: umemd makes none.)
 */
#include "net/listener/pipe_access.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listener/identity.h"
#include "net/listener/pipe_lock.h"
#include "wire/endpoint.h"

enum { TEXT_SIZE = 1024, USER_SIZE = 64, PROGRAM_SIZE = 128 };

static void name_user(uid_t user, char name[USER_SIZE])
{
    char space[2048];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(user, &entry, space, sizeof space, &found) == 0 && found != NULL)
        snprintf(name, USER_SIZE, "%s", found->pw_name);
    else
        snprintf(name, USER_SIZE, "%lu", (unsigned long)user);
}

static unsigned mode_of(const struct stat *facts)
{
    return (unsigned)facts->st_mode & 07777U;
}

/* This user, or root. */
static bool is_trusted(uid_t user)
{
    return user == geteuid() || user == 0;
}

/* ---- directories ---- */

/* Whether others than its owner may take away or put something in the place of what is in the directory. With the sticky bit
 * they may not, unless it is their own. */
static bool is_open(const struct stat *facts)
{
    return (facts->st_mode & 022) != 0 && (facts->st_mode & S_ISVTX) == 0;
}

/* Whether the members of the group get to what is in the directory. */
static bool is_passable(const struct stat *facts, const struct um_principal *allowed)
{
    return (facts->st_mode & (facts->st_gid == (gid_t)allowed->number ? 0010 : 0001)) != 0;
}

static void check_one_directory(const char *directory, const char *subject,
                                const struct um_principal *allowed,
                                const struct um_pipe_access_report *report)
{
    char user[USER_SIZE];
    char fix[TEXT_SIZE];
    struct stat facts;

    if (stat(directory, &facts) != 0) {
        um_pipe_access_fault(report, "make it, with mode 0700, or name another pipe",
                             "%s cannot be looked at: %s", directory, strerror(errno));
        return;
    }
    name_user(facts.st_uid, user);
    if (subject != NULL)
        um_pipe_access_fact(report, subject, "%s, user %s, mode %04o", directory, user, mode_of(&facts));
    if (!is_trusted(facts.st_uid))
        um_pipe_access_fault(report, "name a pipe in a directory of your own, by --pipe or UMEM_PIPE",
                             "%s belongs to user %s, who could put another socket there", directory, user);
    if (is_open(&facts)) {
        snprintf(fix, sizeof fix, "chmod go-w %s, or name a pipe elsewhere", directory);
        um_pipe_access_fault(report, fix,
                             "%s has mode %04o, so that other users could put another socket there",
                             directory, mode_of(&facts));
    }
    if (allowed->is_set && !is_passable(&facts, allowed)) {
        snprintf(fix, sizeof fix,
                 "name a pipe in a directory that they may enter, such as /run/umemd, or chgrp %s %s and "
                 "chmod 710 %s",
                 allowed->name, directory, directory);
        um_pipe_access_fault(report, fix, "%s has mode %04o, which keeps the members of the group %s out",
                             directory, mode_of(&facts), allowed->name);
    }
}

/* The directory and all above it, as they are without links. */
static void check_directories(const char *directory, const struct um_principal *allowed,
                              const struct um_pipe_access_report *report)
{
    char *real = realpath(directory, NULL);
    char *slash;

    if (real == NULL) {
        um_pipe_access_fault(report, "make the directory, with mode 0700, or name another pipe",
                             "%s, where the pipe would be, cannot be found: %s", directory, strerror(errno));
        return;
    }
    check_one_directory(real, "directory", allowed, report);
    slash = strrchr(real, '/');
    while (slash != NULL && slash != real) {
        *slash = '\0';
        check_one_directory(real, NULL, allowed, report);
        slash = strrchr(real, '/');
    }
    if (strcmp(directory, "/") != 0)
        check_one_directory("/", NULL, allowed, report);
    free(real);
}

/* Writes what lies before the last slash. */
static void cut_last(const char *path, char directory[UM_ENDPOINT_CAPACITY])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        strcpy(directory, ".");
    else if (slash == path)
        strcpy(directory, "/");
    else
        snprintf(directory, UM_ENDPOINT_CAPACITY, "%.*s", (int)(slash - path), path);
}

static void check_place(const char *path, const struct um_principal *allowed,
                        const struct um_pipe_access_report *report)
{
    char directory[UM_ENDPOINT_CAPACITY];
    char above[UM_ENDPOINT_CAPACITY];
    char target[TEXT_SIZE];
    const char *what = NULL;
    struct stat facts;
    ssize_t size;

    cut_last(path, directory);
    if (um_endpoint_is_private(path) && lstat(directory, &facts) != 0 && errno == ENOENT) {
        um_pipe_access_fact(report, "directory", "%s is not there yet; a daemon makes it, with mode 0700",
                            directory);
        cut_last(directory, above);
        check_directories(above, allowed, report);
        return;
    }
    size = readlink(directory, target, sizeof target - 1);
    if (size >= 0) {
        target[size] = '\0';
        um_pipe_access_fact(report, "link", "%s leads to %s", directory, target);
    }
    /* What a daemon would refuse. */
    if (um_endpoint_check(path, &what) != 0)
        um_pipe_access_fault(
            report, "remove the directory, or chmod 700 it if it is your own; else name another pipe",
            "%s: %s", directory, what);
    check_directories(directory, allowed, report);
}

/* ---- what lies there ---- */

static void check_mode(const char *path, bool is_socket, const struct stat *facts,
                       const struct um_principal *allowed, const struct um_pipe_access_report *report)
{
    bool is_groups = allowed->is_set && facts->st_gid == (gid_t)allowed->number;
    char fix[TEXT_SIZE];

    if ((facts->st_mode & (is_groups ? 007 : 077)) != 0) {
        if (allowed->is_set)
            snprintf(fix, sizeof fix, "chgrp %s %s and chmod 660 %s", allowed->name, path, path);
        else
            snprintf(fix, sizeof fix, "chmod 600 %s", path);
        um_pipe_access_fault(report, fix, "%s has mode %04o, which lets other users %s", path, mode_of(facts),
                             is_socket ? "connect" : "hold the lock");
    } else if (allowed->is_set && (!is_groups || (facts->st_mode & 0060) != 0060)) {
        um_pipe_access_fault(report, "restart the daemon with --allow-group",
                             "%s has mode %04o and group %lu, which keeps the members of the group %s out",
                             path, mode_of(facts), (unsigned long)facts->st_gid, allowed->name);
    }
}

/* The socket, or its lock file, which is for this user only: what is said of them is much the same. Returns whether it is there, and the
 * right kind. */
static bool check_file(const char *path, const char *subject, bool is_socket,
                       const struct um_principal *allowed, const struct um_pipe_access_report *report)
{
    char user[USER_SIZE];
    char fix[TEXT_SIZE];
    struct stat facts;

    if (lstat(path, &facts) != 0) {
        if (errno == ENOENT)
            um_pipe_access_fact(report, subject, "not there; a daemon makes it, with mode %s%s",
                                allowed->is_set ? "0660 and the group " : "0600",
                                allowed->is_set ? allowed->name : "");
        else
            um_pipe_access_fault(report, "see to it that this user may look there",
                                 "%s cannot be looked at: %s", path, strerror(errno));
        return false;
    }
    snprintf(fix, sizeof fix, "remove %s, or name another pipe", path);
    if (S_ISLNK(facts.st_mode)) {
        um_pipe_access_fault(report, fix, "%s is a symbolic link, which another user may have put there",
                             path);
        return false;
    }
    if (is_socket ? !S_ISSOCK(facts.st_mode) : !S_ISREG(facts.st_mode)) {
        um_pipe_access_fault(report, fix, "%s is no %s", path, is_socket ? "socket" : "ordinary file");
        return false;
    }
    name_user(facts.st_uid, user);
    um_pipe_access_fact(report, subject, "%s, user %s, mode %04o", path, user, mode_of(&facts));
    if (!is_trusted(facts.st_uid))
        um_pipe_access_fault(report, fix, "%s belongs to user %s", path, user);
    check_mode(path, is_socket, &facts, allowed, report);
    return true;
}

/* The process that listens at the socket, as the system knows it. */
static void report_server(int fd, const struct um_pipe_access_report *report)
{
    char user[USER_SIZE];
#ifdef SO_PEERCRED
    struct ucred server;
    socklen_t size = sizeof server;
    char program[PROGRAM_SIZE] = "";

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0)
        return;
    name_user(server.uid, user);
    um_identity_read_program(server.pid, program, sizeof program);
    um_pipe_access_fact(report, "listening", "process %ld%s%s%s, user %s", (long)server.pid,
                        program[0] != '\0' ? " (" : "", program, program[0] != '\0' ? ")" : "", user);
#else
    struct {
        uid_t uid;
    } server;
    gid_t group;

    if (getpeereid(fd, &server.uid, &group) != 0)
        return;
    name_user(server.uid, user);
    um_pipe_access_fact(report, "listening", "user %s", user);
#endif
    if (!is_trusted(server.uid))
        um_pipe_access_fault(report, "name another pipe; the client library will not talk to that one",
                             "the program that listens there is user %s's", user);
}

static void query_server(const char *path, const struct um_pipe_access_report *report)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0)
        return;
    /* Where its queue is full, connecting would wait. */
    fcntl(fd, F_SETFL, O_NONBLOCK);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        report_server(fd, report);
    else if (errno == ECONNREFUSED)
        um_pipe_access_fact(report, "listening",
                            "nobody; the socket is left over, and the next daemon replaces it");
    else
        um_pipe_access_fact(report, "listening", "not known: %s", strerror(errno));
    close(fd);
}

/* Who keeps other daemons from the pipe, whether or not clients find that one. */
static void report_lock_holder(const char *path, const struct um_pipe_access_report *report)
{
    char holder[USER_SIZE + PROGRAM_SIZE];
    struct stat facts;

    if (!um_pipe_lock_find_holder(path, holder, sizeof holder))
        um_pipe_access_fact(report, "locked by", "nobody");
    else if (lstat(path, &facts) == 0)
        um_pipe_access_fact(report, "locked by", "%s", holder);
    else
        um_pipe_access_fault(report, "wait a few seconds, after which it makes its socket anew; or end it",
                             "%s holds %s.lock, but its socket was removed", holder, path);
}

void um_pipe_access_check(const char *path, const struct um_principal *allowed, bool connects,
                          const struct um_pipe_access_report *report)
{
    static const struct um_principal nobody = {.is_set = false};
    char lock[UM_ENDPOINT_CAPACITY + 8];
    char user[USER_SIZE];

    name_user(geteuid(), user);
    um_pipe_access_fact(report, "let in", "user %s%s", user, geteuid() != 0 ? ", and root" : "");
    if (allowed->is_set)
        um_pipe_access_fact(report, "let in",
                            "the group %s: its members read, change and free all blocks, and end the daemon",
                            allowed->name);
    check_place(path, allowed, report);
    if (check_file(path, "socket", true, allowed, report) && connects)
        query_server(path, report);
    snprintf(lock, sizeof lock, "%s.lock", path);
    if (check_file(lock, "lock file", false, &nobody, report) && connects)
        report_lock_holder(path, report);
}
