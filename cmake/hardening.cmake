# What makes a fault in our programs and libraries harder to use: where they lie in memory is not known beforehand, nothing
# that is written can be run, what the linker has resolved is read-only, and a function whose stack was written past its
# array ends the process rather than returns. tests/package/hardening.cmake looks into the finished files for all of it.
#
# Each flag is asked for where the tool chain has it. Not here: Control Flow Guard for mingw-w64, whose gcc 12 has no
# -mguard=cf (asked for below, for those that have); and nothing for the dependencies, which are the system's, or have
# flags of their own.

include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

# Programs are linked as position-independent ones, as CMAKE_POSITION_INDEPENDENT_CODE has them compiled.
check_pie_supported(LANGUAGES C)

# um_harden_compiling(FLAG): for all of our files, if the compiler knows it.
function(um_harden_compiling flag)
    string(MAKE_C_IDENTIFIER "UMEM_HAS${flag}" variable)
    check_c_compiler_flag("${flag}" ${variable})
    if(${variable})
        target_compile_options(um_flags INTERFACE "${flag}")
    endif()
endfunction()

# um_harden_linking(FLAG): for all programs and shared libraries of this directory and those below, if the linker knows it.
function(um_harden_linking flag)
    string(MAKE_C_IDENTIFIER "UMEM_LINKS${flag}" variable)
    check_linker_flag(C "${flag}" ${variable})
    if(${variable})
        add_link_options("${flag}")
    endif()
endfunction()

if(MSVC)
    # Addresses, stacks and data that cannot be run (/DYNAMICBASE, /HIGHENTROPYVA, /NXCOMPAT, /GS) are as we want them.
    target_compile_options(um_flags INTERFACE /guard:cf)
    add_link_options(/GUARD:CF)
else()
    um_harden_compiling(-fstack-protector-strong)
    # Checks of sizes by the C library; they need an optimizer, and sanitizers have better ones.
    if(NOT CMAKE_C_FLAGS MATCHES "-fsanitize")
        target_compile_options(um_flags INTERFACE
            "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
    endif()
endif()

# What programs that link our static library need for the guards of its stacks, as a library's name; empty: nothing.
set(UMEM_STACK_LIBRARY "")
if(MINGW)
    # GCC then brings the library that the guards call.
    um_harden_linking(-fstack-protector-strong)
    check_linker_flag(C "-lssp" UMEM_LINKS_lssp)
    if(UMEM_LINKS_lssp)
        set(UMEM_STACK_LIBRARY ssp)
    endif()
    um_harden_compiling(-mguard=cf)
    um_harden_linking(-mguard=cf)
    um_harden_linking(-Wl,--dynamicbase)
    um_harden_linking(-Wl,--nxcompat)
    um_harden_linking(-Wl,--high-entropy-va)
elseif(NOT WIN32)
    um_harden_compiling(-fstack-clash-protection)
    # Jumps and returns only go where the program meant them to, on processors that check it.
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|i.86)$")
        um_harden_compiling(-fcf-protection)
    else()
        um_harden_compiling(-mbranch-protection=standard)
    endif()
    um_harden_linking(-Wl,-z,relro)
    um_harden_linking(-Wl,-z,now)
    um_harden_linking(-Wl,-z,noexecstack)
endif()
