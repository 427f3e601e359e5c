#include <string.h>

char *copy(const char *text);

char *copy(const char *text)
{
    return strdup(text);
}
