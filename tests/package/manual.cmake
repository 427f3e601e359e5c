# The manual pages: umemd.8 is what umemd prints about itself, and none has a fault that mandoc knows (where mandoc is here).
#
#   cmake -D "UMEMD=PROGRAM [ARGUMENT...]" -D PRINTED=FILE -D LIBRARY_PAGE=FILE [-D MANDOC=PROGRAM] -P manual.cmake

set(root "${CMAKE_CURRENT_LIST_DIR}/../..")

execute_process(COMMAND ${UMEMD} --print-man OUTPUT_FILE "${PRINTED}" COMMAND_ERROR_IS_FATAL ANY)
file(READ "${PRINTED}" printed)
file(READ "${root}/server/daemon/umemd.8" page)
if(NOT printed STREQUAL page)
    message(FATAL_ERROR "server/daemon/umemd.8 is not what umemd prints; `umemd --print-man >server/daemon/umemd.8` "
        "writes it anew")
endif()

if(NOT MANDOC)
    message(STATUS "mandoc is not here, so the pages' form was not looked at")
    return()
endif()
file(GLOB pages "${root}/server/daemon/*.8" "${root}/client/cli/*.1")
list(APPEND pages "${LIBRARY_PAGE}")
foreach(page IN LISTS pages)
    execute_process(COMMAND "${MANDOC}" -T lint -W warning "${page}" OUTPUT_VARIABLE faults ERROR_VARIABLE faults)
    # The pages have no date, which would not be kept up.
    string(REGEX REPLACE "[^\n]*missing date[^\n]*\n" "" faults "${faults}")
    if(NOT faults STREQUAL "")
        message(FATAL_ERROR "${faults}")
    endif()
endforeach()
