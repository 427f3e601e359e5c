#include <sys/stat.h>

int is_file(unsigned mode);

int is_file(unsigned mode)
{
    return (mode & S_IFMT) == S_IFREG;
}
