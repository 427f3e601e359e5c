# Builds for 64-bit Windows on Linux with mingw-w64 and runs what was built under Wine.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# Programs import DLLs of the system only, so that one file is all there is to copy.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-static")

# libuv, cJSON and cmocka as `./dev setup` built them. The link is followed here, so that a later setup, which may point
# it at newer ones, leaves a finished build alone.
if(NOT UMEM_DEPS_PREFIX)
    execute_process(
        COMMAND "${CMAKE_CURRENT_LIST_DIR}/cache-dir"
        OUTPUT_VARIABLE umem_cache
        OUTPUT_STRIP_TRAILING_WHITESPACE
        COMMAND_ERROR_IS_FATAL ANY
    )
    if(EXISTS "${umem_cache}/windows/current")
        file(REAL_PATH "${umem_cache}/windows/current" UMEM_DEPS_PREFIX)
    endif()
endif()

# Programs (python3, a code generator) are this machine's; libraries and headers must never be.
set(CMAKE_FIND_ROOT_PATH "${UMEM_DEPS_PREFIX}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/wine-run")
