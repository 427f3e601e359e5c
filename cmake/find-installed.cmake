# How a library that is installed is found, and where libuv may be. Our own build uses it, and so does umemConfig.cmake, beside
# which it is installed as umem-find.cmake.

# um_find_installed(name [GLOBAL] PACKAGE p TARGETS t... HEADER h [SUBDIR d] LIBRARIES l... [LINK l...] [DEFINE d...])
#
# Makes um::<name> if the library is installed, else does nothing. A CMake package is asked first, since it alone knows
# which of several builds fits ours and what else to link. Many distributions ship none: then header and library are
# found by name, and LINK is what a static library needs beside it. DEFINE is for those who include the header. With GLOBAL,
# every directory of the project knows it.
function(um_find_installed name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "GLOBAL" "PACKAGE;HEADER;SUBDIR" "TARGETS;LIBRARIES;LINK;DEFINE")
    list(PREPEND CMAKE_PREFIX_PATH ${UMEM_DEPS_PREFIX})

    # Packages disagree on whether the header's own folder is part of the include path, so it is looked for either way.
    find_path(UMEM_${name}_INCLUDE_DIR ${arg_HEADER} PATH_SUFFIXES ${arg_SUBDIR})
    mark_as_advanced(UMEM_${name}_INCLUDE_DIR)
    if(NOT UMEM_${name}_INCLUDE_DIR)
        return()
    endif()

    set(library "")
    find_package(${arg_PACKAGE} CONFIG QUIET)
    foreach(target IN LISTS arg_TARGETS)
        if(TARGET ${target})
            set(library ${target})
            break()
        endif()
    endforeach()

    if(NOT library)
        find_library(UMEM_${name}_LIBRARY NAMES ${arg_LIBRARIES})
        mark_as_advanced(UMEM_${name}_LIBRARY)
        if(NOT UMEM_${name}_LIBRARY)
            return()
        endif()
        set(library "${UMEM_${name}_LIBRARY}" ${arg_LINK})
    endif()

    set(scope "")
    if(arg_GLOBAL)
        set(scope GLOBAL)
    endif()
    add_library(um::${name} INTERFACE IMPORTED ${scope})
    target_include_directories(um::${name} INTERFACE "${UMEM_${name}_INCLUDE_DIR}")
    target_link_libraries(um::${name} INTERFACE ${library})
    target_compile_definitions(um::${name} INTERFACE ${arg_DEFINE})
    message(STATUS "${arg_PACKAGE}: ${library}")
endfunction()

# libuv, as arguments of um_find_installed.
if(WIN32)
    # One program without DLLs to carry along, so the static libraries come first.
    set(um_uv_order uv_a libuv_a libuv uv)
    set(um_uv_link ws2_32 iphlpapi userenv psapi user32 advapi32 dbghelp ole32 shell32)
else()
    find_package(Threads REQUIRED)
    set(um_uv_order uv libuv uv_a)
    set(um_uv_link Threads::Threads ${CMAKE_DL_LIBS})
endif()

set(um_uv_places
    PACKAGE libuv
    TARGETS libuv::uv_a uv_a libuv::uv uv
    HEADER uv.h
    LIBRARIES ${um_uv_order}
    LINK ${um_uv_link}
)
