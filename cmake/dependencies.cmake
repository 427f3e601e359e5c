# um::uv, um::cjson and (for the tests) um::cmocka, wherever they come from. Our sources include <uv.h>, <cJSON.h> and
# <cmocka.h> and need not know. Each is looked for in this order:
#
# 1. what is installed: a prefix given as UMEM_DEPS_PREFIX (for Windows, the toolchain file names the one that
#    `./dev setup` built), then the system's own packages;
# 2. otherwise its pinned version is fetched and built with us.

set(UMEM_DEPS_PREFIX "" CACHE PATH "Where libuv, cJSON and cmocka are installed, if not with the system")
set(UMEM_FETCH_DEPENDENCIES AUTO CACHE STRING
    "Fetch libuv, cJSON and cmocka: AUTO (those that are not installed), ON (all) or OFF (none)")
set_property(CACHE UMEM_FETCH_DEPENDENCIES PROPERTY STRINGS AUTO ON OFF)

# libuv 1.49 to 1.51 can hang on Windows where reading is stopped and started inside a read callback.
set(UMEM_UV_TAG v1.48.0)
set(UMEM_CJSON_TAG v1.7.18)
set(UMEM_CMOCKA_TAG cmocka-1.1.7)

include("${CMAKE_CURRENT_LIST_DIR}/find-installed.cmake")

# Sets <name>_SOURCE_DIR and <name>_BINARY_DIR. Only downloads: the caller adds what it needs of the sources, so that
# our `install` does not install them too.
macro(um_download name url tag)
    message(STATUS "${name}: fetching ${tag} (./dev setup would have installed it)")
    FetchContent_Declare(${name} GIT_REPOSITORY ${url} GIT_TAG ${tag} GIT_SHALLOW ON SOURCE_SUBDIR no-such-folder)
    FetchContent_MakeAvailable(${name})
endmacro()

# For the projects that are added whole: their option() must respect what is set here, their old minimum version must
# not stop a CMake that has dropped it, and they are written in their compiler's own C.
macro(um_prepare_subproject)
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
    set(CMAKE_POLICY_VERSION_MINIMUM 3.5)
    set(CMAKE_C_EXTENSIONS ON)
    set(BUILD_SHARED_LIBS OFF)
    set(BUILD_TESTING OFF)
endmacro()

function(um_fetch_uv)
    um_download(libuv https://github.com/libuv/libuv.git ${UMEM_UV_TAG})
    um_prepare_subproject()
    set(LIBUV_BUILD_SHARED OFF)
    add_subdirectory("${libuv_SOURCE_DIR}" "${libuv_BINARY_DIR}" EXCLUDE_FROM_ALL SYSTEM)
    add_library(um::uv ALIAS uv_a)
endfunction()

# One source file: simpler to compile than to talk to its build system, which sets flags for all that follows.
function(um_fetch_cjson)
    um_download(cjson https://github.com/DaveGamble/cJSON.git ${UMEM_CJSON_TAG})
    add_library(um_cjson STATIC EXCLUDE_FROM_ALL "${cjson_SOURCE_DIR}/cJSON.c")
    target_include_directories(um_cjson SYSTEM PUBLIC "${cjson_SOURCE_DIR}")
    target_compile_definitions(um_cjson PUBLIC CJSON_HIDE_SYMBOLS)
    add_library(um::cjson ALIAS um_cjson)
endfunction()

function(um_fetch_cmocka)
    um_download(cmocka https://git.cryptomilk.org/projects/cmocka.git ${UMEM_CMOCKA_TAG})
    um_prepare_subproject()
    set(WITH_EXAMPLES OFF)
    add_subdirectory("${cmocka_SOURCE_DIR}" "${cmocka_BINARY_DIR}" EXCLUDE_FROM_ALL SYSTEM)
    add_library(um::cmocka ALIAS cmocka)
endfunction()

# um_dependency(name ...): the arguments of um_find_installed. A macro, because what find_package makes known belongs
# to the directory that calls it.
macro(um_dependency name)
    if(NOT UMEM_FETCH_DEPENDENCIES STREQUAL ON)
        um_find_installed(${name} GLOBAL ${ARGN})
    endif()
    if(NOT TARGET um::${name})
        if(UMEM_FETCH_DEPENDENCIES STREQUAL OFF)
            message(FATAL_ERROR "${name} is not installed, and UMEM_FETCH_DEPENDENCIES is OFF. "
                "`./dev setup` installs it; UMEM_DEPS_PREFIX says where else to look.")
        endif()
        cmake_language(CALL um_fetch_${name})
    endif()
endmacro()

include(FetchContent)

if(UMEM_BUILD_SERVER OR UMEM_BUILD_COMMAND OR UMEM_BUILD_UV)
    um_dependency(uv ${um_uv_places})
endif()
if(UMEM_BUILD_COMMAND)
    um_dependency(cjson
        PACKAGE cJSON
        TARGETS cjson
        HEADER cJSON.h SUBDIR cjson
        LIBRARIES libcjson.a cjson
        DEFINE CJSON_HIDE_SYMBOLS # else, on Windows, whatever contains cJSON would export it
    )
endif()
if(UMEM_BUILD_TESTS)
    um_dependency(cmocka
        PACKAGE cmocka
        TARGETS cmocka::cmocka cmocka
        HEADER cmocka.h
        LIBRARIES cmocka cmocka-static
    )
endif()
