# Looks into finished programs and libraries for what cmake/hardening.cmake requires.
#
#   cmake -D KIND=elf|pe -D "PROGRAMS=FILE;..." -D "LIBRARIES=FILE;..." -D "ARCHIVES=FILE;..." -D FORTIFIED=BOOL
#         -D CF_PROTECTION=BOOL -D READELF=PROGRAM -D OBJDUMP=PROGRAM -D NM=PROGRAM -P hardening.cmake
#
# PROGRAMS can be run, LIBRARIES are shared ones, ARCHIVES static ones. FORTIFIED: the C library's checks of sizes are on.
# CF_PROTECTION: jumps and returns are marked for processors that check them.

set(is_good TRUE)
set(all_symbols "")

# Sets `variable` to what a program prints.
function(read variable)
    execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
    set(${variable} "${text}" PARENT_SCOPE)
endfunction()

# The file has what `text` must hold (or must not), else it says that it lacks `what`.
macro(must_match file text pattern what)
    if(NOT "${${text}}" MATCHES "${pattern}")
        message(NOTICE "${file}: ${what}")
        set(is_good FALSE)
    endif()
endmacro()
macro(must_not_match file text pattern what)
    if("${${text}}" MATCHES "${pattern}")
        message(NOTICE "${file}: ${what}")
        set(is_good FALSE)
    endif()
endmacro()

if(KIND STREQUAL elf)
    foreach(file IN LISTS PROGRAMS LIBRARIES)
        read(headers "${READELF}" -W -h -l -d "${file}")
        must_match("${file}" headers "Type: +DYN" "its place in memory is fixed (no PIE)")
        must_match("${file}" headers "GNU_RELRO" "what the linker resolves stays writable (no RELRO)")
        must_match("${file}" headers "FLAGS_1[^\n]*NOW" "names are resolved late, so that their table stays writable (no -z now)")
        must_match("${file}" headers "GNU_STACK +[^\n]* RW +0x" "its stack can be run")
        must_not_match("${file}" headers "LOAD +[^\n]* (RWE|WE) " "some of it can be written and run")
        must_not_match("${file}" headers "TEXTREL" "its code is written to when it is loaded")
    endforeach()
    foreach(file IN LISTS PROGRAMS)
        read(headers "${READELF}" -W -d "${file}")
        must_match("${file}" headers "FLAGS_1[^\n]*PIE" "it is no position-independent program")
    endforeach()
elseif(KIND STREQUAL pe)
    foreach(file IN LISTS PROGRAMS LIBRARIES)
        read(headers "${OBJDUMP}" -p "${file}")
        must_match("${file}" headers "HIGH_ENTROPY_VA" "its place in memory has 32 bits only (no high entropy)")
        must_match("${file}" headers "DYNAMIC_BASE" "its place in memory is fixed")
        must_match("${file}" headers "NX_COMPAT" "its data can be run")
    endforeach()
    # Without this a program with DYNAMIC_BASE stays where it is all the same.
    foreach(file IN LISTS PROGRAMS LIBRARIES)
        read(headers "${OBJDUMP}" -h "${file}")
        must_match("${file}" headers "[.]reloc" "it cannot be moved: it has no relocations")
    endforeach()
else()
    message(FATAL_ERROR "KIND is elf or pe")
endif()

# Functions with arrays guard their stack. Programs may be stripped of their names, so that the static libraries are looked at,
# of which the programs are made.
foreach(file IN LISTS ARCHIVES)
    read(symbols "${NM}" "${file}")
    must_match("${file}" symbols "U __stack_chk_fail" "no function guards its stack")
    # mingw-w64 checks few functions, which not every library calls.
    if(FORTIFIED AND NOT KIND STREQUAL pe)
        must_match("${file}" symbols "U __[a-z_]+_chk\n" "no call is checked for sizes (no FORTIFY)")
    endif()
    string(APPEND all_symbols "${symbols}")
    if(CF_PROTECTION)
        read(notes "${READELF}" -n "${file}")
        string(REGEX MATCHALL "\nFile: " members "\n${notes}")
        string(REGEX MATCHALL "IBT, SHSTK" marks "${notes}")
        list(LENGTH members member_count)
        list(LENGTH marks mark_count)
        if(member_count EQUAL 0 OR NOT member_count EQUAL mark_count)
            message(NOTICE "${file}: ${mark_count} of ${member_count} members protect jumps and returns")
            set(is_good FALSE)
        endif()
    endif()
endforeach()

if(FORTIFIED)
    must_match("all libraries" all_symbols "U __[a-z_]+_chk\n" "no call is checked for sizes (no FORTIFY)")
endif()

if(NOT is_good)
    message(FATAL_ERROR "not all is hardened that cmake/hardening.cmake asks for")
endif()
list(LENGTH PROGRAMS program_count)
message(STATUS "${program_count} programs are hardened")
