# Builds for 64-bit Windows with clang: with the headers, the C library and the linker of mingw-w64, and with gcc's own library, which
# clang does not find by itself.
include("${CMAKE_CURRENT_LIST_DIR}/mingw-w64.cmake")

execute_process(
    COMMAND x86_64-w64-mingw32-gcc -print-libgcc-file-name
    OUTPUT_VARIABLE umem_libgcc
    OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY
)
cmake_path(GET umem_libgcc PARENT_PATH umem_libgcc)

set(CMAKE_C_COMPILER clang)
set(CMAKE_C_COMPILER_TARGET x86_64-w64-mingw32)
# Without it, clang reads the headers of this machine where mingw-w64 has none of that name.
set(CMAKE_C_FLAGS_INIT "--sysroot=/usr/x86_64-w64-mingw32 -B${umem_libgcc}")
string(APPEND CMAKE_EXE_LINKER_FLAGS_INIT " -L${umem_libgcc}")
string(APPEND CMAKE_SHARED_LINKER_FLAGS_INIT " -L${umem_libgcc}")
