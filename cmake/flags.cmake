# um_flags: what every target of ours is compiled with. Link it PRIVATE. It is kept off the dependencies that we fetch,
# which have warnings of their own to answer for.
#
# A library that is installed with an export set links it as $<BUILD_INTERFACE:um_flags>, because a static library's
# private dependencies would otherwise have to be exported too.

add_library(um_flags INTERFACE)

if(WIN32)
    # Windows 10 is the oldest that is served. UNICODE stays undefined: calls name their A or W form.
    target_compile_definitions(um_flags INTERFACE WIN32_LEAN_AND_MEAN _WIN32_WINNT=0x0A00)
else()
    # Without the compiler's extensions the C library shows ISO C only; this brings POSIX and Linux back.
    target_compile_definitions(um_flags INTERFACE _GNU_SOURCE)
endif()

if(MINGW)
    # printf as C11 has it (%zu, %lld) and not as the old Microsoft run-time library had it.
    target_compile_definitions(um_flags INTERFACE __USE_MINGW_ANSI_STDIO=1)
endif()

if(MSVC)
    target_compile_options(um_flags INTERFACE /W4 /utf-8)
    # Its warnings about standard functions ask for others that only Microsoft has.
    target_compile_definitions(um_flags INTERFACE _CRT_SECURE_NO_WARNINGS)
    if(UMEM_WERROR)
        target_compile_options(um_flags INTERFACE /WX)
    endif()
else()
    target_compile_options(um_flags INTERFACE
        -Wall
        -Wextra
        -Wconversion
        -Wshadow
        -Wstrict-prototypes
        -Wmissing-prototypes
        -Wvla
        -Wformat=2
        -Wundef
        -Wpointer-arith
    )
    if(UMEM_WERROR)
        target_compile_options(um_flags INTERFACE -Werror)
    endif()
endif()
