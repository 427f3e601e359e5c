# What Debian's policy wants in /usr/share/doc/PACKAGE, and its compressed manual pages: done to the files of each Debian package before
# cpack packs them. Does nothing for other kinds of package.

if(NOT CPACK_GENERATOR STREQUAL DEB)
    return()
endif()

file(READ "${CPACK_UMEM_SOURCE_DIR}/LICENSE" license)
string(REGEX REPLACE "^MIT License\n\nCopyright [(]c[)] ([^\n]*)\n\n" "" license "${license}")
set(copyright "${CMAKE_MATCH_1}")
string(STRIP "${license}" license)
string(REPLACE "\n\n" "\n.\n" license "${license}")
string(REPLACE "\n" "\n " license "${license}")
# SOURCE_DATE_EPOCH, where it is set, gives the time.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
    string(TOUPPER ${component} name)
    set(package "${CPACK_DEBIAN_${name}_PACKAGE_NAME}")
    set(tree "${CPACK_TEMPORARY_DIRECTORY}/${component}/usr/share")
    set(documents "${tree}/doc/${package}")
    file(MAKE_DIRECTORY "${documents}")
    file(WRITE "${documents}/copyright"
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: umemd\n\n"
        "Files: *\nCopyright: ${copyright}\nLicense: Expat\n ${license}\n")
    file(WRITE "${documents}/changelog.Debian"
        "umemd (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
        "  * Built from the sources of this version. What has changed since the last one\n"
        "    is in /usr/share/doc/umemd/changelog.gz of the package umemd.\n\n"
        " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
    # The copyright file has it.
    file(REMOVE "${documents}/LICENSE")
    if(EXISTS "${documents}/CHANGELOG.md")
        file(RENAME "${documents}/CHANGELOG.md" "${documents}/changelog")
    endif()
    # Where Debian's zsh looks.
    if(EXISTS "${tree}/zsh/site-functions")
        file(RENAME "${tree}/zsh/site-functions" "${tree}/zsh/vendor-completions")
    endif()
    file(GLOB texts "${documents}/changelog*" "${tree}/man/man*/*")
    foreach(text IN LISTS texts)
        execute_process(COMMAND gzip -9nf "${text}" COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    file(GLOB_RECURSE files LIST_DIRECTORIES FALSE "${documents}/*" "${tree}/man/*")
    foreach(file IN LISTS files)
        file(CHMOD "${file}" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    endforeach()
endforeach()
