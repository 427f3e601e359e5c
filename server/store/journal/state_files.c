#include "store/journal/state_files.h"

const char *um_file_status_text(enum um_file_status status)
{
    static const char *const texts[] = {
        [UM_FILE_OK] = "nothing is wrong",
        [UM_FILE_NO_SPACE] = "there is no space left on the disk",
        [UM_FILE_NOT_THERE] = "it is not there",
        [UM_FILE_EXISTS] = "it is there already",
        [UM_FILE_OTHER] = "it is no file, but a directory, a symbolic link, or the like",
        [UM_FILE_DENIED] = "this user may not do that, or the file system is read-only",
        [UM_FILE_NO_MEMORY] = "the process has no memory, or may open no more files",
        [UM_FILE_FAILED] = "the system cannot read or write it",
    };

    return texts[status];
}
