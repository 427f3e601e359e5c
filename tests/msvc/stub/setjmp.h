/* See vcruntime.h. */
#pragma once

#include <vcruntime.h>

typedef struct {
    unsigned long long part[2];
} _JBTYPE;
typedef _JBTYPE jmp_buf[16];

int setjmp(jmp_buf buffer);
__declspec(noreturn) void longjmp(jmp_buf buffer, int value);
