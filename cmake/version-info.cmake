# What Windows shows of a program or DLL (Properties, Details), and how it runs a program: as the one who started it, with UTF-8 as
# the code page of what is not UTF-16, and with paths of more than 260 characters where the system allows them.

if(WIN32)
    enable_language(RC)
endif()

# um_describe_file(TARGET DESCRIPTION): does nothing but on Windows. Programs get the manifest, too.
function(um_describe_file target description)
    if(NOT WIN32)
        return()
    endif()
    get_target_property(type ${target} TYPE)
    set(kind VFT_APP)
    set(suffix exe)
    set(name ${target})
    set(manifest "")
    if(type STREQUAL SHARED_LIBRARY)
        set(kind VFT_DLL)
        set(suffix dll)
        get_target_property(name ${target} RUNTIME_OUTPUT_NAME)
    elseif(MSVC)
        # Its linker makes a manifest itself, and adds this one to it.
        target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/packaging/windows/program.manifest")
    else()
        set(manifest "1 24 \"${PROJECT_SOURCE_DIR}/packaging/windows/program.manifest\"")
    endif()
    set(resource "${CMAKE_CURRENT_BINARY_DIR}/${target}.rc")
    configure_file("${PROJECT_SOURCE_DIR}/packaging/windows/version.rc.in" "${resource}" @ONLY)
    target_sources(${target} PRIVATE "${resource}")
    if(manifest)
        set_source_files_properties("${resource}" PROPERTIES OBJECT_DEPENDS "${PROJECT_SOURCE_DIR}/packaging/windows/program.manifest")
    endif()
endfunction()
