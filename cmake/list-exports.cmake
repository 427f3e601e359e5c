# The functions that the client library exports, as its public headers declare them: each has UMEM_API before it. They are
# listed in client/umem_client.def, from which the DLL is linked and with which the test package.exports compares.
#
#   cmake -P cmake/list-exports.cmake    writes the list anew
#
# A library of its own beside it (an adapter, say) calls um_declared_functions() with its own headers.

set(UMEM_EXPORTS_LIST "${CMAKE_CURRENT_LIST_DIR}/../client/umem_client.def")
set(UMEM_EXPORTS_HEADERS
    "${CMAKE_CURRENT_LIST_DIR}/../client/umem_client.h"
    "${CMAKE_CURRENT_LIST_DIR}/../common/base/umem_errors.h")

# Sets `variable` to the names, in order.
function(um_declared_functions variable)
    set(names "")
    foreach(header IN LISTS ARGN)
        file(READ "${header}" text)
        # From UMEM_API to the parenthesis after the name.
        string(REGEX MATCHALL "UMEM_API[ \n][^;(]*[(]" declarations "${text}")
        foreach(declaration IN LISTS declarations)
            if(declaration MATCHES "(umem_[a-z0-9_]+)[(]$")
                list(APPEND names ${CMAKE_MATCH_1})
            endif()
        endforeach()
    endforeach()
    list(SORT names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

# Sets `variable` to the text of a list of these functions.
function(um_exports_text variable)
    list(JOIN ARGN "\n    " lines)
    set(${variable} "; What the client library exports; `cmake -P cmake/list-exports.cmake` writes this list.\nEXPORTS\n    ${lines}\n"
        PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    um_declared_functions(names ${UMEM_EXPORTS_HEADERS})
    um_exports_text(text ${names})
    file(WRITE "${UMEM_EXPORTS_LIST}" "${text}")
endif()
