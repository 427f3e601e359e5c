/*
 * Calls functions of Windows for a program of another system: test_pipe_win32.py runs the package's code for Windows pipes on
 * this system's Python, and this program under an emulator does what that code calls. A command a line, an answer a line:
 *
 *     call LIBRARY FUNCTION ARGUMENT...   the result, and GetLastError() right after it
 *     take SIZE                           the address of new memory, all zero
 *     poke ADDRESS BYTES                  writes them
 *     peek ADDRESS SIZE                   reads them
 *
 * Numbers are hexadecimal, bytes two digits each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

enum {
    ARGUMENTS = 8, /* most that a function has; those that are too many do no harm on 64-bit Windows */
    LINE_CAPACITY = 4 << 20 /* bytes of a command */
};

typedef uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static uint64_t next_number(void)
{
    const char *word = strtok(NULL, " \r\n");

    return word != NULL ? strtoull(word, NULL, 16) : 0;
}

static void *next_address(void)
{
    return (void *)(uintptr_t)next_number();
}

static void call(void)
{
    const char *library = strtok(NULL, " \r\n");
    const char *name = strtok(NULL, " \r\n");
    HMODULE module = library != NULL ? LoadLibraryA(library) : NULL;
    FARPROC found = module != NULL && name != NULL ? GetProcAddress(module, name) : NULL;
    function called;
    uint64_t arguments[ARGUMENTS];
    uint64_t result;

    for (size_t i = 0; i < ARGUMENTS; i++)
        arguments[i] = next_number();
    if (found == NULL) {
        puts("none");
        return;
    }
    memcpy(&called, &found, sizeof called);
    SetLastError(0);
    result = called(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5],
                    arguments[6], arguments[7]);
    printf("%llx %lx\n", (unsigned long long)result, (unsigned long)GetLastError());
}

static void poke(void)
{
    unsigned char *target = next_address();
    const char *digits = strtok(NULL, " \r\n");

    for (size_t i = 0; digits != NULL && digits[2 * i] != '\0'; i++) {
        const char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};

        target[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
    puts("done");
}

static void peek(void)
{
    const unsigned char *source = next_address();
    uint64_t size = next_number();

    for (uint64_t i = 0; i < size; i++)
        printf("%02x", source[i]);
    puts("");
}

int main(void)
{
    char *line = malloc(LINE_CAPACITY);

    if (line == NULL)
        return EXIT_FAILURE;
    while (fgets(line, LINE_CAPACITY, stdin) != NULL) {
        const char *command = strtok(line, " \r\n");

        if (command != NULL && strcmp(command, "call") == 0)
            call();
        else if (command != NULL && strcmp(command, "take") == 0)
            printf("%llx\n", (unsigned long long)(uintptr_t)calloc(1, (size_t)next_number()));
        else if (command != NULL && strcmp(command, "poke") == 0)
            poke();
        else if (command != NULL && strcmp(command, "peek") == 0)
            peek();
        else
            puts("none");
        fflush(stdout);
    }
    free(line);
    return EXIT_SUCCESS;
}
