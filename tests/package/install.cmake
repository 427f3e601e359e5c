# Installs the build, and moves what was installed elsewhere, so that whatever names its first place is found out.
#
#   cmake -D BUILD=FOLDER -D CONFIG=NAME -D PREFIX=FOLDER -P install.cmake

set(first "${PREFIX}-before")
file(REMOVE_RECURSE "${first}" "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --config "${CONFIG}" --prefix "${first}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

file(GLOB_RECURSE texts "${first}/*.cmake" "${first}/*.pc" "${first}/*.h")
foreach(text IN LISTS texts)
    file(READ "${text}" content)
    foreach(place "${first}" "${BUILD}")
        string(FIND "${content}" "${place}" at)
        if(NOT at EQUAL -1)
            message(FATAL_ERROR "${text} names the place ${place}")
        endif()
    endforeach()
endforeach()

file(RENAME "${first}" "${PREFIX}")
