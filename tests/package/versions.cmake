# Every file that states umemd's version for a package manager states that of common/base/umem_version.h.
#
#   cmake -D VERSION=MAJOR.MINOR.PATCH -P versions.cmake

set(root "${CMAKE_CURRENT_LIST_DIR}/../..")
set(is_good TRUE)

# The file has at least one match of the pattern, whose group is the version, and all of them are the same.
function(check file pattern)
    file(READ "${root}/${file}" text)
    string(REGEX MATCHALL "${pattern}" matches "${text}")
    if(NOT matches)
        message(NOTICE "${file}: no version is stated as ${pattern}")
        set(is_good FALSE PARENT_SCOPE)
    endif()
    foreach(match IN LISTS matches)
        string(REGEX REPLACE "${pattern}" "\\1" found "${match}")
        if(NOT found STREQUAL VERSION)
            message(NOTICE "${file}: it states ${found}, and not ${VERSION}, the version of umemd")
            set(is_good FALSE PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

set(number "([0-9]+[.][0-9]+[.][0-9]+)")
check(vcpkg.json "\"version\": \"${number}\"")
check(packaging/vcpkg/vcpkg.json "\"version\": \"${number}\"")
check(packaging/vcpkg/portfile.cmake "REF v${number}")
check(packaging/scoop/umemd.json "\"version\": \"${number}\"")
check(packaging/scoop/umemd.json "umemd-${number}-win64")
check(packaging/homebrew/umemd.rb "umemd-${number}.tar.gz")
check(packaging/homebrew/umemd.rb "umemd ${number}")
foreach(part version installer locale.en-US)
    set(file "packaging/winget/umemd.umemd.yaml")
    if(NOT part STREQUAL version)
        set(file "packaging/winget/umemd.umemd.${part}.yaml")
    endif()
    check(${file} "PackageVersion: ${number}")
endforeach()
check(packaging/winget/umemd.umemd.installer.yaml "umemd-${number}-win64.exe")

check(client/python/pyproject.toml "\nversion = \"${number}\"")
check(client/dotnet/Umem/Umem.csproj "<Version>${number}</Version>")
check(client/powershell/Umem.psd1 "ModuleVersion = '${number}'")

# A new file under packaging/ that names a version is looked at here, too.
file(GLOB_RECURSE files RELATIVE "${root}" "${root}/packaging/*")
foreach(file IN LISTS files)
    file(READ "${root}/${file}" text)
    if(text MATCHES "(umemd|[Vv]ersion)[-\": ]+[0-9]+[.][0-9]+[.][0-9]" AND NOT file MATCHES "^packaging/(vcpkg|scoop|homebrew|winget)/")
        message(NOTICE "${file}: it states a version that no test compares")
        set(is_good FALSE)
    endif()
endforeach()

if(NOT is_good)
    message(FATAL_ERROR "versions differ")
endif()
