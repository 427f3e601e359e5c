# What `cmake --install` and cpack put where. Components: `runtime` is what runs (programs, manuals, units), `library` the shared
# library, `development` what programs are built with. Nothing of it names the place where it was built or installed, but for the
# systemd unit, so that a prefix may be moved.

include(CMakePackageConfigHelpers)

set(umem_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/umem")
set(umem_build_dir "${PROJECT_BINARY_DIR}/package")

# ---- libraries ----

# um_install_library(NAME TARGETS t... HEADERS h...): makes the targets umem::<their EXPORT_NAME> known to
# find_package(umem COMPONENTS NAME). What a component depends on is looked for in umemConfig.cmake.in.
function(um_install_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "TARGETS;HEADERS")
    install(TARGETS ${arg_TARGETS} EXPORT umem-${name}
        RUNTIME COMPONENT library
        LIBRARY COMPONENT library NAMELINK_COMPONENT development
        ARCHIVE COMPONENT development)
    install(EXPORT umem-${name} NAMESPACE umem:: DESTINATION "${umem_package_dir}" COMPONENT development)
    install(FILES ${arg_HEADERS} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development)
endfunction()

um_install_library(client
    TARGETS umemclient umemclient_shared
    HEADERS client/umem_client.h client/cpp/umem.hpp common/base/umem_api.h common/base/umem_errors.h common/base/umem_version.h)

if(UMEM_BUILD_UV)
    um_install_library(uv
        TARGETS umemclient_uv
        HEADERS client/uv/umem_uv.h)
endif()
install(FILES cmake/find-installed.cmake DESTINATION "${umem_package_dir}" RENAME umem-find.cmake COMPONENT development)

configure_package_config_file(cmake/umemConfig.cmake.in "${umem_build_dir}/umemConfig.cmake"
    INSTALL_DESTINATION "${umem_package_dir}"
    NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${umem_build_dir}/umemConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${umem_build_dir}/umemConfig.cmake" "${umem_build_dir}/umemConfigVersion.cmake"
    DESTINATION "${umem_package_dir}" COMPONENT development)

# The folders may have been given whole (-D CMAKE_INSTALL_LIBDIR=/...); then they stay what they are.
set(umem_pc_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
cmake_path(ABSOLUTE_PATH umem_pc_dir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}" OUTPUT_VARIABLE umem_pc_place)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY "${umem_pc_place}" OUTPUT_VARIABLE umem_pc_prefix)
set(umem_pc_includedir "\${prefix}")
cmake_path(APPEND umem_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
set(umem_pc_libdir "\${prefix}")
cmake_path(APPEND umem_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
set(umem_pc_private "-lm -lpthread")
if(WIN32)
    set(umem_pc_private "-ladvapi32")
    if(UMEM_STACK_LIBRARY)
        string(APPEND umem_pc_private " -l${UMEM_STACK_LIBRARY}")
    endif()
endif()
configure_file(cmake/umemclient.pc.in "${umem_build_dir}/umemclient.pc" @ONLY)
install(FILES "${umem_build_dir}/umemclient.pc" DESTINATION "${umem_pc_dir}" COMPONENT development)

# ---- programs and documents ----

foreach(program umemd umem)
    if(TARGET ${program})
        install(TARGETS ${program} RUNTIME COMPONENT runtime)
    endif()
endforeach()
install(FILES CHANGELOG.md LICENSE README.md SECURITY.md protocol.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
install(FILES docs/clients.md docs/installing.md docs/operating.md docs/performance.md DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" COMPONENT runtime)

# um_install_manual(FILE COMPONENT): the file's last letter is its section.
function(um_install_manual file component)
    string(REGEX REPLACE ".*[.]" "" section "${file}")
    install(FILES "${file}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}" COMPONENT ${component})
endfunction()

# um_install_completion(FOLDER PROGRAM): the scripts of a program, where shells look.
function(um_install_completion folder program)
    install(FILES ${folder}/${program}.bash DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
        RENAME ${program} COMPONENT runtime)
    install(FILES ${folder}/${program}.zsh DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions"
        RENAME _${program} COMPONENT runtime)
    install(FILES ${folder}/${program}.fish DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT runtime)
endfunction()

if(NOT WIN32)
    um_install_manual("${PROJECT_BINARY_DIR}/client/umem_client.3" development)
    if(UMEM_BUILD_SERVER)
        um_install_manual(server/daemon/umemd.8 runtime)
        um_install_completion(server/daemon umemd)
    endif()
    if(UMEM_BUILD_COMMAND)
        um_install_manual(client/cli/umem.1 runtime)
        um_install_completion(client/cli umem)
    endif()
endif()

# Systems differ in where Python looks, so that only who says where gets the package for Python.
set(UMEM_PYTHON_DIR "" CACHE STRING "Where the package for Python is installed, below the prefix; empty: nowhere")
if(UMEM_PYTHON_DIR)
    install(DIRECTORY client/python/umem DESTINATION "${UMEM_PYTHON_DIR}" COMPONENT python
        FILES_MATCHING PATTERN "*.py" PATTERN py.typed)
    file(CONFIGURE OUTPUT "${umem_build_dir}/METADATA" @ONLY
        CONTENT "Metadata-Version: 2.1\nName: umem\nVersion: ${PROJECT_VERSION}\nLicense: MIT\nRequires-Python: >=3.9\n")
    install(FILES "${umem_build_dir}/METADATA" DESTINATION "${UMEM_PYTHON_DIR}/umem-${PROJECT_VERSION}.dist-info" COMPONENT python)
endif()

# systemd wants the whole path of the program, which is known when it is installed. An archive of cpack's can be unpacked
# anywhere: its unit names the program by the unit's own folder (%Y), which systemd knows from version 251 on. The packages of a
# system have the prefix that they were configured for.
if(UMEM_BUILD_SERVER AND CMAKE_SYSTEM_NAME STREQUAL Linux)
    set(umem_unit_dir lib/systemd/user)
    set(umem_unit_place "${umem_unit_dir}")
    set(umem_bindir "${CMAKE_INSTALL_BINDIR}")
    cmake_path(ABSOLUTE_PATH umem_unit_place BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
    cmake_path(ABSOLUTE_PATH umem_bindir BASE_DIRECTORY "${CMAKE_INSTALL_PREFIX}")
    cmake_path(RELATIVE_PATH umem_bindir BASE_DIRECTORY "${umem_unit_place}")
    install(CODE "
        set(bindir \"\${CMAKE_INSTALL_PREFIX}\")
        cmake_path(APPEND bindir \"${CMAKE_INSTALL_BINDIR}\")
        if(bindir MATCHES \"/_CPack_Packages/[^/]+/(DEB|RPM)/\")
            set(bindir \"${CMAKE_INSTALL_FULL_BINDIR}\")
        elseif(bindir MATCHES \"/_CPack_Packages/\")
            set(bindir \"%Y/${umem_bindir}\")
        endif()
        configure_file(\"${PROJECT_SOURCE_DIR}/server/daemon/umemd.service.in\" \"${umem_build_dir}/umemd.service\" @ONLY)"
        COMPONENT runtime)
    install(FILES "${umem_build_dir}/umemd.service" server/daemon/umemd.socket
        DESTINATION "${umem_unit_dir}" COMPONENT runtime)
endif()

include("${CMAKE_CURRENT_LIST_DIR}/package.cmake")
