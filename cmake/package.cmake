# What cpack makes of the installation: Debian packages and RPMs as those systems divide them, an archive (.tar.gz, for Windows
# .zip), and an installer for Windows. `./dev package` makes and tries all of them; docs/installing.md says which is for whom.
#
# Each package is configured for the place where it is installed (the presets package-deb, package-rpm and package-windows), because
# the folder of libraries is part of what is installed. An archive may be unpacked anywhere.

set(CPACK_PACKAGE_VENDOR "the umemd authors")
# The packages have no distribution behind them, and so no address that answers; who builds them for others gives one.
set(UMEM_PACKAGE_CONTACT "the umemd authors <umemd@packages.invalid>" CACHE STRING
    "Who maintains the packages that cpack makes, with an address")
set(CPACK_PACKAGE_CONTACT "${UMEM_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR TGZ)
if(WIN32)
    set(CPACK_GENERATOR ZIP)
endif()

# The parts of the installation that are packages of their own.
set(CPACK_COMPONENTS_ALL runtime library development)
if(UMEM_PYTHON_DIR)
    list(APPEND CPACK_COMPONENTS_ALL python)
endif()
# So cpack takes each component's summary, and no general one.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "umemd built using CMake")

# One line, and what follows it, whose lines packages show as they are.
set(umem_summary_runtime "daemon that lends heap memory, by handle, to programs")
set(umem_about_runtime "umemd owns heap memory and lends it, by handle, to the programs of one
user on the same machine, over a pipe and JSON-RPC. Heaps have quotas, blocks
have names and owners, and double free, use after free and access out of
bounds are errors. This package holds the daemon umemd, the command umem, and
units for the user's own systemd.")
set(umem_summary_library "client library of umemd, which lends heap memory by handle")
set(umem_about_library "This library is for programs in C and C++ that use the memory which the
daemon umemd lends. It needs nothing but the C library.")
set(umem_summary_development "client library of umemd, for development")
set(umem_about_development "Headers, the static library, the manual page and the files for CMake and
pkg-config, for programs that use the memory which the daemon umemd lends;
and an adapter for programs with a libuv loop.")

set(umem_summary_python "client of umemd, which lends heap memory by handle, for Python")
set(umem_about_python "This package is for programs in Python that use the memory which the daemon
umemd lends. It needs nothing but Python's own library.")

# ---- Debian ----

set(umem_library_package "libumemclient${UMEM_ABI_VERSION}")
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS OFF)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} name)
    set(CPACK_COMPONENT_${name}_DESCRIPTION "${umem_about_${component}}")
    set(CPACK_DEBIAN_${name}_DESCRIPTION "${umem_summary_${component}}\n${umem_about_${component}}")
endforeach()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME umemd)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${umem_library_package})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/debian/triggers")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libumemclient-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${umem_library_package} (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
# For the adapter alone.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libuv1-dev, pkgconf | pkg-config")
set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-umem)
set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "python3 (>= 3.9)")
set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA
    "${PROJECT_SOURCE_DIR}/packaging/debian/python/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/python/prerm")

# ---- RPM ----

set(CPACK_RPM_COMPONENT_INSTALL ON)
set(CPACK_RPM_MAIN_COMPONENT runtime)
set(CPACK_RPM_FILE_NAME RPM-DEFAULT)
set(CPACK_RPM_PACKAGE_RELEASE 1)
set(CPACK_RPM_PACKAGE_LICENSE MIT)
set(CPACK_RPM_PACKAGE_RELOCATABLE OFF)
set(CPACK_RPM_SPEC_MORE_DEFINE "%define _build_id_links none")
set(CPACK_RPM_RUNTIME_PACKAGE_NAME umemd)
set(CPACK_RPM_LIBRARY_PACKAGE_NAME libumemclient)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_NAME libumemclient-devel)
set(CPACK_RPM_DEVELOPMENT_PACKAGE_REQUIRES "libumemclient = ${PROJECT_VERSION}-${CPACK_RPM_PACKAGE_RELEASE}")
set(CPACK_RPM_LIBRARY_POST_INSTALL_SCRIPT_FILE "${PROJECT_SOURCE_DIR}/packaging/rpm/ldconfig")
set(CPACK_RPM_LIBRARY_POST_UNINSTALL_SCRIPT_FILE "${PROJECT_SOURCE_DIR}/packaging/rpm/ldconfig")
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} name)
    set(CPACK_RPM_${name}_PACKAGE_SUMMARY "${umem_summary_${component}}")
endforeach()
# Folders that belong to the system, or to no package alone.
set(CPACK_RPM_EXCLUDE_FROM_AUTO_FILELIST_ADDITION
    /usr/lib/systemd /usr/lib/systemd/user /usr/share/man /usr/share/man/man1 /usr/share/man/man3 /usr/share/man/man8
    /usr/share/bash-completion /usr/share/bash-completion/completions "/usr/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/usr/${CMAKE_INSTALL_LIBDIR}/cmake")

# What a system wants of its packages and an installation has not: done to the files before they are packed.
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/packaging/debian/finish.cmake")
set(CPACK_UMEM_SOURCE_DIR "${PROJECT_SOURCE_DIR}")

# ---- Windows ----

if(WIN32)
    set(CPACK_SYSTEM_NAME win64)
    # cpack takes its script for NSIS from here, which puts all files where they are.
    list(PREPEND CPACK_MODULE_PATH "${PROJECT_SOURCE_DIR}/packaging/windows")
    set(CPACK_MONOLITHIC_INSTALL ON)
    unset(CPACK_COMPONENTS_ALL)
endif()

include(CPack)
