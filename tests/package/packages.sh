#!/usr/bin/env bash
# Looks into packages that cpack has made, and runs what is in them without installing it.
#
#   packages.sh deb|rpm|archive|zip|installer FOLDER SOURCES     FOLDER: where the packages are
#
# zip and installer run Windows programs under Wine, the installer in a prefix of its own.
set -euo pipefail

kind=$1
packages=$(cd "$2" && pwd)
sources=$(cd "$3" && pwd)
version=$(sed -n 's/^#define UMEM_VERSION_[MP][A-Z]* \([0-9]*\)$/\1/p' "$sources/common/base/umem_version.h" | paste -sd.)
abi=${version%.*}
work=$(mktemp -d)
export UMEM_PIPE=$work/umemd.sock
daemon_end=:
has_own_wine=
document=$sources/README.md
# block, expect
. "$sources/tests/support/readme_blocks.sh"

clean_up()
{
    $daemon_end >/dev/null 2>&1 || true
    [ -z "$has_own_wine" ] || "$sources/cmake/wine-run" --stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT

fail()
{
    printf '%s\n' "$kind: $*" >&2
    exit 1
}

# holds WHAT LIST PATTERN...: each pattern is a whole line of the list.
holds()
{
    local what=$1 list=$2 pattern
    shift 2
    for pattern in "$@"; do
        grep -qxE -- "$pattern" <<<"$list" || fail "$what has no $pattern"
    done
}

# only WHAT LIST PATTERN: no other line is in the list.
only()
{
    local others
    others=$(grep -vxE -- "$3" <<<"$2" || true)
    [ -z "$others" ] || fail "$1 has, too: $others"
}

# use UMEMD UMEM [EMULATOR]: the programs work together.
use()
{
    local umemd=$1 umem=$2
    shift 2
    expect "the daemon's version" "$("$@" "$umemd" --version | tr -d '\r')" "umemd $version"
    daemon_end="$* $umem shutdown"
    "$@" "$umemd" --daemon >"$work/umemd.log" 2>&1 || fail "umemd does not start: $(cat "$work/umemd.log")"
    "$@" "$umem" alloc 16 --name greeting >/dev/null
    "$@" "$umem" write greeting hello >/dev/null
    expect "a block's bytes" "$("$@" "$umem" read greeting --size 5 | tr -d '\r')" hello
}

end()
{
    "$@" shutdown >/dev/null
    daemon_end=:
}

# one PATTERN: the only file in the folder of that name.
one()
{
    local files=("$packages"/$1)
    [ ${#files[@]} -eq 1 ] && [ -f "${files[0]}" ] || fail "there is not one $1 in $packages"
    printf '%s\n' "${files[0]}"
}

# compile PREFIX LIBDIR: README.md's program, linked with the shared library, which it finds in LIBDIR.
compile_and_run()
{
    command -v cc >/dev/null || return 0
    block c 1 >"$work/example.c"
    cc "$work/example.c" -I "$1/include" -L "$2" -lumemclient -o "$work/example"
    expect "README.md's program" "$(LD_LIBRARY_PATH=$2 "$work/example")" "ff ff ff ff"
}


# look_into_python PACKAGE ROOT: where umemd runs, and a block of that name is there.
look_into_python()
{
    local list
    list=$(dpkg-deb --fsys-tarfile "$1" | tar -t | grep -v '/$')
    only "the package for Python" "$list" '\./usr/(lib/python3/dist-packages/umem(-[0-9.]+\.dist-info/METADATA|/[a-z_0-9]+\.py|/py\.typed)|share/doc/python3-umem/.*)'
    dpkg-deb -x "$1" "$2"
    if command -v python3 >/dev/null; then
        expect "a block's bytes in Python" "$(PYTHONPATH=$2/usr/lib/python3/dist-packages python3 -B -c '
import umem
with umem.connect() as client:
    print(bytes(client.open("greeting").read(0, 5)).decode())')" hello
    fi
}

look_into_debs()
{
    local umemd library development list root=$work/root folder
    umemd=$(one "umemd_$version-1_*.deb")
    library=$(one "libumemclient${abi}_$version-1_*.deb")
    development=$(one "libumemclient-dev_$version-1_*.deb")
    for package in "$umemd" "$library" "$development"; do
        dpkg-deb -x "$package" "$root"
        dpkg-deb -f "$package" Maintainer Description >/dev/null
        list=$(dpkg-deb -c "$package" | awk '$2 != "root/root" { print }')
        expect "files of other owners" "$list" ""
    done

    list=$(dpkg-deb --fsys-tarfile "$umemd" | tar -t | grep -v '/$')
    holds umemd "$list" ./usr/bin/umemd ./usr/bin/umem ./usr/lib/systemd/user/umemd.service ./usr/lib/systemd/user/umemd.socket \
        ./usr/share/man/man1/umem.1.gz ./usr/share/man/man8/umemd.8.gz ./usr/share/bash-completion/completions/umem ./usr/share/bash-completion/completions/umemd \
        ./usr/share/doc/umemd/copyright ./usr/share/doc/umemd/changelog.gz ./usr/share/doc/umemd/protocol.md
    only umemd "$list" '\./usr/(bin/umemd?|lib/systemd/user/umemd\.(service|socket)|share/(man/man[18]/.*\.gz|doc/umemd/.*|bash-completion/completions/umemd?|fish/vendor_completions.d/umemd?.fish|zsh/vendor-completions/_umemd?))'
    list=$(dpkg-deb --fsys-tarfile "$library" | tar -t | grep -v '/$')
    folder=$(sed -n "s|^\./usr/\(.*\)/libumemclient\.so\.$abi\$|\1|p" <<<"$list")
    [[ $folder == lib/*-linux-gnu* ]] || fail "the library is in '$folder', not in Debian's folder of this architecture"
    only "the library" "$list" "\./usr/($folder/libumemclient\.so\.$abi(\.[0-9]+)?|share/doc/.*)"
    list=$(dpkg-deb --fsys-tarfile "$development" | tar -t | grep -v '/$')
    holds "the development package" "$list" "\./usr/include/umem_client\.h" "\./usr/$folder/libumemclient\.(a|so)" \
        "\./usr/$folder/pkgconfig/umemclient\.pc" "\./usr/$folder/cmake/umem/umemConfig\.cmake" ./usr/share/man/man3/umem_client.3.gz
    only "the development package" "$list" "\./usr/(include/umem.*|$folder/(cmake/umem|pkgconfig)/.*|$folder/libumemclient(_uv)?\.(a|so)|share/(man/man3|doc)/.*)"

    expect "what the development package needs" "$(dpkg-deb -f "$development" Depends)" "libumemclient$abi (= $version-1)"
    expect "what programs need of the library" "$(dpkg-deb -I "$library" shlibs)" "libumemclient $abi libumemclient$abi (>= $version-1)"
    [[ $(dpkg-deb -f "$umemd" Depends) == *libuv1* ]] || fail "umemd does not need libuv1"
    [[ $(dpkg-deb -f "$library" Depends) == libc6\ * ]] || fail "the library needs more than the C library"
    grep -qx 'ExecStart="/usr/bin/umemd"' "$root/usr/lib/systemd/user/umemd.service" || fail "the unit starts another program"

    use "$root/usr/bin/umemd" "$root/usr/bin/umem"
    compile_and_run "$root/usr" "$root/usr/$folder"
    look_into_python "$(one "python3-umem_$version-1_all.deb")" "$root"
    end "$root/usr/bin/umem"
    if command -v lintian >/dev/null; then
        lintian --allow-root --fail-on error "$packages"/*.deb || fail "lintian finds errors"
    else
        echo "left out: lintian (it is not here)"
    fi
}

look_into_rpms()
{
    local umemd library development list root=$work/root
    umemd=$(one "umemd-$version-1.*.rpm")
    library=$(one "libumemclient-$version-1.*.rpm")
    development=$(one "libumemclient-devel-$version-1.*.rpm")
    list=$(rpm -qlp "$umemd")
    holds umemd "$list" /usr/bin/umemd /usr/bin/umem /usr/lib/systemd/user/umemd.service /usr/lib/systemd/user/umemd.socket \
        /usr/share/man/man1/umem.1 /usr/share/man/man8/umemd.8 /usr/share/doc/umemd/protocol.md
    # A folder of the system in the list would make the package its owner.
    only umemd "$list" '/usr/(bin/umemd?|lib/systemd/user/umemd\.(service|socket)|share/(man/man[18]/.*|doc/umemd.*|bash-completion/completions/umemd?|fish/.*/umem.*|zsh/.*/_umem.*))'
    holds "the library" "$(rpm -qlp "$library")" "/usr/lib64/libumemclient\.so\.$abi"
    holds "what the library provides" "$(rpm -qp --provides "$library")" "libumemclient\.so\.$abi\(\).*"
    holds "what the development package needs" "$(rpm -qp --requires "$development")" "libumemclient = $version-1"
    mkdir "$root"
    for package in "$umemd" "$library" "$development"; do
        (cd "$root" && cmake -E tar xf "$package")
    done
    grep -qx 'ExecStart="/usr/bin/umemd"' "$root/usr/lib/systemd/user/umemd.service" || fail "the unit starts another program"
    use "$root/usr/bin/umemd" "$root/usr/bin/umem"
    compile_and_run "$root/usr" "$root/usr/lib64"
    end "$root/usr/bin/umem"
}

# Unpacked, and moved to a place that nobody could have known.
look_into_archive()
{
    local root="$work/another place/umemd" unit
    mkdir "$work/another place"
    tar -xzf "$(one "umemd-$version-Linux.tar.gz")" -C "$work/another place"
    mv "$work/another place/umemd-$version-Linux" "$root"
    unit=$root/lib/systemd/user/umemd.service
    grep -qx 'ExecStart="%Y/../../../bin/umemd"' "$unit" || fail "the unit starts another program"
    [ -x "$(dirname "$unit")/../../../bin/umemd" ] || fail "the unit's program is not there"
    if command -v systemd-analyze >/dev/null && [ "$(systemd-analyze --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 251 ]; then
        HOME=$work XDG_RUNTIME_DIR=$work systemd-analyze --user --man=no verify "$unit" || fail "systemd does not take the unit"
    else
        echo "left out: the unit by systemd-analyze (systemd 251 is not here)"
    fi
    use "$root/bin/umemd" "$root/bin/umem"
    compile_and_run "$root" "$root/lib"
    end "$root/bin/umem"
}

look_into_zip()
{
    local root=$work/umemd-$version-win64
    (cd "$work" && cmake -E tar xf "$(one "umemd-$version-win64.zip")")
    for file in bin/umemd.exe bin/umem.exe "bin/libumemclient-$abi.dll" include/umem_client.h lib/libumemclient.a lib/libumemclient.dll.a \
        share/doc/umemd/README.md share/doc/umemd/docs/operating.md share/doc/umemd/LICENSE; do
        [ -f "$root/$file" ] || fail "$file is not in the archive"
    done
    UMEM_PIPE="\\\\.\\pipe\\umemd-package-$$"
    "$sources/cmake/wine-run" --start
    use "$root/bin/umemd.exe" "$root/bin/umem.exe" "$sources/cmake/wine-run"
    end "$sources/cmake/wine-run" "$root/bin/umem.exe"
}

# ---- the installer for Windows ----

wine()
{
    "$sources/cmake/wine-run" "$@"
}

# registry KEY [VALUE]: what is stored there; nothing, where nothing is.
registry()
{
    local text
    text=$(wine reg query "$1" ${2:+/v "$2"} 2>/dev/null) && tr -d '\r' <<<"$text" || true
}

# The search path of the machine or of the user.
machine_path='HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
user_path='HKCU\Environment'
uninstall_key='Software\Microsoft\Windows\CurrentVersion\Uninstall\umemd'
run_key='HKCU\Software\Microsoft\Windows\CurrentVersion\Run'

# set_up STATUS ARGUMENT...: runs the installer, which ends with that status.
set_up()
{
    local wanted=$1 status=0
    shift
    wine "$installer" /S "$@" || status=$?
    expect "the status of the installer with $*" "$status" "$wanted"
}

# remove_silently FOLDER ARGUMENT: the uninstaller works on in a copy of its own after it has returned.
remove_silently()
{
    local i
    wine "$1/uninstall.exe" "$2" /S
    for ((i = 0; i < 600; i++)); do
        [ -e "$1/uninstall.exe" ] || return 0
        sleep 0.1
    done
    fail "the uninstaller does not end"
}

# Where Wine says that a Windows path is, in a prefix that has nothing else in it.
drive()
{
    printf '%s\n' "$UMEM_CACHE_DIR/wine/drive_c/$1"
}

try_for_all_users()
{
    local folder before
    folder=$(drive umem-try)
    before=$(registry "$machine_path" Path)
    UMEM_SERVICE_PASSWORD=secret set_up 0 /AllUsers /LOGON /SERVICE '/D=C:\umem-try'
    for file in bin/umemd.exe bin/umem.exe "bin/libumemclient-$abi.dll" include/umem_client.h share/doc/umemd/README.md uninstall.exe; do
        [ -f "$folder/$file" ] || fail "$file is not installed"
    done
    expect "the version that is shown" "$(registry "HKLM\\$uninstall_key" DisplayVersion | grep -c "$version")" 1
    expect "the folder in PATH" "$(registry "$machine_path" Path | grep -o 'C:\\umem-try\\bin')" 'C:\umem-try\bin'
    expect "the start at log-on" "$(registry "$run_key" umemd | grep -c '"C:\\umem-try\\bin\\umemd.exe" "--daemon"')" 1
    expect "the service" "$(registry 'HKLM\System\CurrentControlSet\Services\umemd' ImagePath | grep -c '"C:\\umem-try\\bin\\umemd.exe" "--service"')" 1
    expect "umem, found by PATH" "$(wine cmd /c umem --version | tr -d '\r')" "umem $version"

    # A daemon that runs is not ended, and nothing is changed under it.
    use "$folder/bin/umemd.exe" "$folder/bin/umem.exe" "$sources/cmake/wine-run"
    touch -d @1 "$folder/include/umem_client.h"
    set_up 2 /AllUsers '/D=C:\umem-try'
    expect "a file that stays" "$(stat -c %Y "$folder/include/umem_client.h")" 1
    wine "$folder/uninstall.exe" /AllUsers /S '_?=C:\umem-try' || status=$?
    expect "the status of the uninstaller" "${status:-0}" 2
    expect "the same daemon's block" "$(wine "$folder/bin/umem.exe" read greeting --size 5 | tr -d '\r')" hello
    expect "the service that stays" "$(registry 'HKLM\System\CurrentControlSet\Services\umemd' ImagePath | grep -c '"--service"')" 1
    end "$sources/cmake/wine-run" "$folder/bin/umem.exe"

    # Once more, as an upgrade does: over what is there, in the folder that is known.
    set_up 0 /AllUsers
    [ "$(stat -c %Y "$folder/include/umem_client.h")" -gt 1 ] || fail "an upgrade leaves old files"
    expect "how often PATH has the folder" "$(registry "$machine_path" Path | grep -o 'umem-try' | wc -l)" 1

    echo mine >"$folder/mine.txt"
    remove_silently "$folder" /AllUsers
    expect "what stays in the folder" "$(find "$folder" -type f -printf '%f\n')" mine.txt
    expect "PATH" "$(registry "$machine_path" Path)" "$before"
    expect "the start at log-on" "$(registry "$run_key" umemd)" ""
    expect "the service" "$(registry 'HKLM\System\CurrentControlSet\Services\umemd' ImagePath)" ""
    expect "the entry of the programs that are installed" "$(registry "HKLM\\$uninstall_key")" ""
}

# Whose PATH is so long that the installer cannot hold it, and one that is short.
try_for_one_user()
{
    local folder long
    set_up 0 /CurrentUser /NOPATH
    folder=$(find "$(drive users)" -type d -path '*/Programs/umemd')
    [ -f "$folder/bin/umemd.exe" ] || fail "umemd is not in the user's own folder"
    expect "PATH" "$(registry "$user_path" Path)" ""
    long=$(printf 'C:\\folder%03d;' {1..100})
    wine reg add "$user_path" /v Path /t REG_EXPAND_SZ /d "$long" /f >/dev/null
    set_up 0 /CurrentUser
    expect "a PATH that is too long to change" "$(registry "$user_path" Path | grep -oF "$long")" "$long"
    wine reg add "$user_path" /v Path /t REG_EXPAND_SZ /d '%HOME%\bin' /f >/dev/null
    set_up 0 /CurrentUser
    expect "what was in PATH, and the folder" "$(registry "$user_path" Path | grep -c '%HOME%\\bin;C:.*\\Programs\\umemd\\bin$')" 1
    remove_silently "$folder" /CurrentUser
    expect "PATH without it" "$(registry "$user_path" Path | grep -c '%HOME%\\bin$')" 1
    expect "the user's folder" "$(find "$(drive users)" -path '*/Programs/umemd*')" ""
    expect "the user's entry" "$(registry "HKCU\\$uninstall_key")" ""
}

try_installer()
{
    installer=$(one "umemd-$version-win64.exe")
    UMEM_PIPE="\\\\.\\pipe\\umemd-package-$$"
    # A prefix of its own, where nothing was ever installed; its server ends with it.
    export UMEM_CACHE_DIR=$work/cache
    mkdir "$UMEM_CACHE_DIR"
    has_own_wine=1
    wine --start
    try_for_all_users
    try_for_one_user
}

case $kind in
deb) look_into_debs ;;
rpm) look_into_rpms ;;
archive) look_into_archive ;;
zip) look_into_zip ;;
installer) try_installer ;;
*) fail "there is no such kind of package" ;;
esac
echo "$kind: as expected"
