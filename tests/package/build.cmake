# Builds the stranger's program with what is installed, and runs it against the daemon that is installed.
#
#   cmake -D HOW=cmake|subdirectory|pkg-config -D KIND=static|shared|uv -D PREFIX=FOLDER -D WORK=FOLDER -D COMPILER=PROGRAM
#         [-D FLAGS=LINE] [-D TOOLCHAIN=FILE] [-D LIBDIR=lib] [-D BINDIR=bin] [-D EMULATOR=PROGRAM] [-D SUFFIX=.exe]
#         [-D GENERATOR=NAME] [-D PKG_CONFIG=PROGRAM] -P build.cmake

set(source "${CMAKE_CURRENT_LIST_DIR}/program")
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

# Arguments: how it finds the library.
function(configure_and_build)
    set(toolchain "")
    if(TOOLCHAIN)
        set(toolchain -D "CMAKE_TOOLCHAIN_FILE=${TOOLCHAIN}")
    endif()
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -S "${source}" -B "${WORK}" -G "${GENERATOR}" ${toolchain}
            -D "CMAKE_C_COMPILER=${COMPILER}" -D "CMAKE_C_FLAGS=${FLAGS}" -D CMAKE_BUILD_TYPE=Debug
            ${ARGN}
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK}" --target stranger
        OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# A toolchain file may confine the search to prefixes of its own; umem_DIR is read before any search.
function(build_with_cmake)
    configure_and_build(-D "umem_DIR=${PREFIX}/${LIBDIR}/cmake/umem" -D "UMEM_TARGET=umem::client_${KIND}")
endfunction()

# Here, BUILD_SHARED_LIBS decides.
function(build_with_subdirectory)
    string(COMPARE EQUAL "${KIND}" shared is_shared)
    configure_and_build(-D "UMEM_SOURCE=${CMAKE_CURRENT_LIST_DIR}/../.." -D "BUILD_SHARED_LIBS=${is_shared}" -D UMEM_TARGET=umem::client)
endfunction()

# The pc file tells its own place, and only ours is looked at.
function(build_with_pkg-config)
    set(options --cflags --libs)
    set(link "")
    if(KIND STREQUAL static)
        list(APPEND options --static)
        set(link -static)
    endif()
    set(ENV{PKG_CONFIG_LIBDIR} "${PREFIX}/${LIBDIR}/pkgconfig")
    execute_process(COMMAND "${PKG_CONFIG}" ${options} umemclient
        OUTPUT_VARIABLE line OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(arguments UNIX_COMMAND "${FLAGS} ${line}")
    execute_process(
        COMMAND "${COMPILER}" "${source}/main.c" ${link} ${arguments} -o "${WORK}/stranger${SUFFIX}"
        COMMAND_ERROR_IS_FATAL ANY)
    if(KIND STREQUAL shared)
        # As a system's own library folder would be found; Windows looks beside the program.
        set(ENV{LD_LIBRARY_PATH} "${PREFIX}/${LIBDIR}")
        set(ENV{LD_LIBRARY_PATH} "${PREFIX}/${LIBDIR}" PARENT_SCOPE)
        file(GLOB dlls "${PREFIX}/${BINDIR}/*.dll")
        if(dlls)
            file(COPY ${dlls} DESTINATION "${WORK}")
        endif()
    endif()
endfunction()

# A unique pipe. POSIX: the path must be short, so it is not in the build's folder.
function(make_pipe)
    string(RANDOM LENGTH 16 random)
    if(SUFFIX)
        set(ENV{UMEM_PIPE} "\\\\.\\pipe\\umem-package-${random}")
    else()
        file(MAKE_DIRECTORY "/tmp/umem-package-${random}")
        file(CHMOD "/tmp/umem-package-${random}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
        set(ENV{UMEM_PIPE} "/tmp/umem-package-${random}/pipe")
        set(pipe_folder "/tmp/umem-package-${random}" PARENT_SCOPE)
    endif()
endfunction()

cmake_language(CALL build_with_${HOW})

# With --daemon it comes back when the pipe is open. Under Wine, the daemon keeps the output of whoever started it open, so
# that goes to a file, whose end nobody waits for.
make_pipe()
set(log "${WORK}/umemd.log")
execute_process(COMMAND ${EMULATOR} "${PREFIX}/${BINDIR}/umemd${SUFFIX}" --daemon
    OUTPUT_FILE "${log}" ERROR_FILE "${log}" RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    file(READ "${log}" text)
    message(FATAL_ERROR "umemd --daemon ended with ${status}: ${text}")
endif()
execute_process(COMMAND ${EMULATOR} "${WORK}/stranger${SUFFIX}" OUTPUT_VARIABLE output RESULT_VARIABLE status)
execute_process(COMMAND ${EMULATOR} "${PREFIX}/${BINDIR}/umem${SUFFIX}" shutdown COMMAND_ERROR_IS_FATAL ANY)
if(pipe_folder)
    file(REMOVE_RECURSE "${pipe_folder}")
endif()

string(STRIP "${output}" output)
if(NOT status EQUAL 0 OR NOT output STREQUAL "1 2 3 4")
    message(FATAL_ERROR "the program ended with ${status} and printed '${output}', not '1 2 3 4'")
endif()
