# Not run: see packaging/README.md.
vcpkg_from_git(
    OUT_SOURCE_PATH SOURCE_PATH
    URL https://example.invalid/umemd.git
    REF v0.1.0
)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS
        -D UMEM_BUILD_TESTS=OFF
        -D UMEM_FETCH_DEPENDENCIES=OFF
        -D UMEM_INSTALL=ON
)
vcpkg_cmake_install()
vcpkg_copy_pdbs()
vcpkg_cmake_config_fixup(PACKAGE_NAME umem CONFIG_PATH lib/cmake/umem)
vcpkg_fixup_pkgconfig()
vcpkg_copy_tools(TOOL_NAMES umem umemd AUTO_CLEAN)

file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
