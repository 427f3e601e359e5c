# Compares what the client library's files hold with what its headers declare.
#
#   cmake -D SHARED=FILE -D STATIC=FILE -D MANUAL=FILE -D NM=PROGRAM -D OBJDUMP=PROGRAM -D IS_DLL=BOOL -P exports.cmake
#
# The manual page, the shared library's exports and the static library's umem_ functions are all what the headers declare; whatever else the static library shows to a linker begins with um_.

include("${CMAKE_CURRENT_LIST_DIR}/../../cmake/list-exports.cmake")

set(is_good TRUE)

# Says how `found` differs from `wanted`, two lists' names, in the words of `place`.
function(compare place wanted found)
    set(missing ${${wanted}})
    set(extra ${${found}})
    list(REMOVE_ITEM missing ${${found}})
    list(REMOVE_ITEM extra ${${wanted}})
    foreach(name IN LISTS missing)
        message(NOTICE "${place}: ${name} is declared UMEM_API but is not there")
    endforeach()
    foreach(name IN LISTS extra)
        message(NOTICE "${place}: ${name} is there but is not declared UMEM_API")
    endforeach()
    if(missing OR extra)
        set(is_good FALSE PARENT_SCOPE)
    endif()
endfunction()

# Sets `variable` to what a program prints, as a list of lines.
function(read_lines variable)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
    # What would confuse a list, and is in no line that counts.
    string(REGEX REPLACE "[][;]" "" text "${text}")
    string(REPLACE "\n" ";" text "${text}")
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# Names that begin with an underscore are the compiler's and the linker's own.
function(keep_ours variable)
    set(names ${${variable}})
    list(FILTER names EXCLUDE REGEX "^_")
    list(REMOVE_DUPLICATES names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

function(read_symbols variable)
    read_lines(lines "${NM}" ${ARGN})
    set(names "")
    foreach(line IN LISTS lines)
        if(line MATCHES "^[0-9a-f]+ [A-Z] ([^ @]+)")
            list(APPEND names "${CMAKE_MATCH_1}")
        endif()
    endforeach()
    keep_ours(names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

# A DLL's names stand, after their numbers, in a table of their own.
function(read_dll_exports variable)
    read_lines(lines "${OBJDUMP}" -p "${SHARED}")
    set(names "")
    set(is_in_table FALSE)
    foreach(line IN LISTS lines)
        if(line MATCHES "Ordinal/Name Pointer Table")
            set(is_in_table TRUE)
        elseif(is_in_table AND line MATCHES "^[ \t]+.*[ \t]([A-Za-z_][A-Za-z0-9_]*)$")
            list(APPEND names "${CMAKE_MATCH_1}")
        elseif(is_in_table)
            set(is_in_table FALSE)
        endif()
    endforeach()
    keep_ours(names)
    set(${variable} "${names}" PARENT_SCOPE)
endfunction()

um_declared_functions(declared ${UMEM_EXPORTS_HEADERS})
list(LENGTH declared count)
if(count LESS 40)
    message(FATAL_ERROR "only ${count} functions were found in the headers: um_declared_functions() does not understand them")
endif()

# The manual page that was built has each of them, too.
file(STRINGS "${MANUAL}" documented REGEX "umem_[a-z0-9_]+[(].*;$")
list(TRANSFORM documented REPLACE ".*[ *](umem_[a-z0-9_]+)[(].*" "\\1")
compare("${MANUAL}" declared documented)

if(IS_DLL)
    read_dll_exports(exported)
else()
    read_symbols(exported -D --defined-only "${SHARED}")
endif()
compare("${SHARED}" declared exported)

read_symbols(symbols -g --defined-only "${STATIC}")
set(public ${symbols})
list(FILTER public INCLUDE REGEX "^umem_")
compare("${STATIC}" declared public)
set(strange ${symbols})
# mingw-w64's compiler adds pointers to what another file has, which cannot be anybody's names.
list(FILTER strange EXCLUDE REGEX "^([.]refptr[.]|um(em)?_)")
foreach(name IN LISTS strange)
    message(NOTICE "${STATIC}: ${name} is a name that a program may have too; it should be static, or begin with um_")
    set(is_good FALSE)
endforeach()

if(NOT is_good)
    message(FATAL_ERROR "what the client library exports is not what its headers declare")
endif()
message(STATUS "${count} functions, everywhere the same")
