# What the client library exports, as its public headers declare it: functions that have UMEM_API before them. From these come the
# list that the DLL is linked from and the manual page's FUNCTIONS, both in the build's folder.
#
# A library of its own beside it (an adapter, say) calls um_declared_functions() with its own headers.

set(UMEM_EXPORTS_HEADERS
    "${CMAKE_CURRENT_LIST_DIR}/../client/umem_client.h"
    "${CMAKE_CURRENT_LIST_DIR}/../common/base/umem_errors.h")

# Sets `variable` to the prototypes, each on one line, in the order of the headers.
function(um_declared_prototypes variable)
    set(prototypes "")
    foreach(header IN LISTS ARGN)
        file(READ "${header}" text)
        # From UMEM_API to the parenthesis at the end.
        string(REGEX MATCHALL "UMEM_API[ \n][^;(]*[(][^;]*[)]" declarations "${text}")
        foreach(declaration IN LISTS declarations)
            string(REGEX REPLACE "[ \n]+" " " declaration "${declaration}")
            string(REGEX REPLACE "^UMEM_API " "" declaration "${declaration}")
            list(APPEND prototypes "${declaration}")
        endforeach()
    endforeach()
    set(${variable} "${prototypes}" PARENT_SCOPE)
endfunction()

# Sets `variable` to the names, in order.
function(um_declared_functions variable)
    um_declared_prototypes(prototypes ${ARGN})
    set(names "")
    foreach(prototype IN LISTS prototypes)
        if(prototype MATCHES "(umem_[a-z0-9_]+)[(]")
            list(APPEND names ${CMAKE_MATCH_1})
        endif()
    endforeach()
    list(SORT names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

# Writes a file, unless it is so already.
function(um_write_changed file text)
    set(before "")
    if(EXISTS "${file}")
        file(READ "${file}" before)
    endif()
    if(NOT before STREQUAL text)
        file(WRITE "${file}" "${text}")
    endif()
endfunction()

# Writes the list of exports of a DLL.
function(um_write_exports file)
    um_declared_functions(names ${UMEM_EXPORTS_HEADERS})
    list(JOIN names "\n    " lines)
    um_write_changed("${file}" "EXPORTS\n    ${lines}\n")
endfunction()

# Writes the manual page `page` with the prototypes in place of @UMEM_FUNCTIONS@.
function(um_write_manual page file)
    um_declared_prototypes(prototypes ${UMEM_EXPORTS_HEADERS})
    set(lines "")
    foreach(prototype IN LISTS prototypes)
        string(REPLACE "-" "\\-" prototype "${prototype}")
        list(APPEND lines "${prototype}")
    endforeach()
    list(JOIN lines "^\n" UMEM_FUNCTIONS)
    string(REPLACE "^" ";" UMEM_FUNCTIONS "${UMEM_FUNCTIONS};")
    file(READ "${page}" text)
    string(REPLACE "@UMEM_FUNCTIONS@" "${UMEM_FUNCTIONS}" text "${text}")
    um_write_changed("${file}" "${text}")
endfunction()
