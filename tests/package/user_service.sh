#!/usr/bin/env bash
# The packages under a real systemd, which this boots in name spaces of its own: docs/installing.md's commands lead from the Debian
# packages to a running user service and to a program that is linked with the library; then the archive's unit, which finds its
# program by its own place. In a system that may be thrown away, as root; `./dev package` runs it in a bare Debian.
#
#   user_service.sh FOLDER SOURCES    FOLDER: where the packages are
set -euo pipefail

packages=$(cd "$1" && pwd)
sources=$(cd "$2" && pwd)
export DEBIAN_FRONTEND=noninteractive
document=$sources/docs/installing.md
. "$sources/tests/support/readme_blocks.sh"
boot=

clean_up()
{
    # The first process of a name space takes the others with it.
    [ -z "$boot" ] || kill -KILL "$boot" 2>/dev/null || true
}
trap clean_up EXIT

fail()
{
    printf '%s\n' "user_service: $*" >&2
    exit 1
}

# wait_for WHAT COMMAND...: half a minute at most.
wait_for()
{
    local what=$1 i
    shift
    for ((i = 0; i < 300; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "not there: $what"
}

inside()
{
    nsenter --target "$boot" --all --root --wd "$@"
}

# as_user COMMAND: in the user's session.
as_user()
{
    inside su owner -s /bin/bash -c "cd && export XDG_RUNTIME_DIR=/run/user/$uid && $1"
}

start_system()
{
    mkdir -p /sys/fs/cgroup
    unshare --mount --pid --fork --cgroup --uts --ipc sh -c '
        mount -t proc proc /proc && mount -t sysfs sysfs /sys && mount -t cgroup2 none /sys/fs/cgroup && mount -t tmpfs tmpfs /run &&
        exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target' \
        </dev/null >/dev/null 2>&1 &
    local starter=$! i
    for ((i = 0; i < 100; i++)); do
        boot=$(cat "/proc/$starter/task/$starter/children" 2>/dev/null || true)
        boot=${boot%% *}
        [ "$(cat "/proc/${boot:-none}/comm" 2>/dev/null)" != systemd ] || break
        # A system that refuses a mount, or the name spaces.
        kill -0 "$starter" 2>/dev/null || return 1
        sleep 0.1
    done
    wait_for "the bus of the system" inside busctl status
}

[ "$(id -u)" -eq 0 ] || fail "only root boots systems"
apt-get -qq update
apt-get -qq install -y --no-install-recommends systemd systemd-sysv dbus dbus-user-session libpam-systemd gcc libc6-dev pkgconf >/dev/null
useradd --create-home owner
uid=$(id -u owner)
if ! start_system; then
    boot=
    echo "left out: systemd does not boot here"
    exit 0
fi
inside loginctl enable-linger owner
wait_for "the user's systemd" inside test -S "/run/user/$uid/bus"

# ---- by the document's commands ----

begin=$SECONDS
block bash 1 >/tmp/commands
grep '^sudo apt install' /tmp/commands | sed 's/^sudo apt/apt-get -qq/; s/install/install -y/' >/tmp/as_root
grep -v '^sudo' /tmp/commands >/home/owner/commands
(cd "$packages" && bash -e /tmp/as_root >/dev/null)
as_user "bash -e commands" >/tmp/information
expect "umem info" "$(grep -c '^name *umemd$' /tmp/information)" 1
expect "the service, which the client started" "$(as_user "systemctl --user is-active umemd.service")" active
expect "the socket at the next login" "$(as_user "systemctl --user is-enabled umemd.socket")" enabled
document=$sources/README.md
block c 1 >/home/owner/example.c
document=$sources/docs/installing.md
block bash 2 >/home/owner/build.sh
expect "a program" "$(as_user "bash -e build.sh")" "ff ff ff ff"
echo "from the packages to a program that uses the service: $((SECONDS - begin)) s"
expect "the service's own report" "$(as_user "systemctl --user show -p StatusText umemd.service")" "StatusText=Listening on /run/user/$uid/umemd.sock"

# A crash is followed by another start; its socket is still there.
before=$(as_user "systemctl --user show -p MainPID --value umemd.service")
as_user "kill -KILL $before"
wait_for "a daemon after a crash" as_user "test \$(systemctl --user show -p MainPID --value umemd.service) -ne $before && umem ping"
echo "a restart after a crash: as expected"

as_user "systemctl --user disable --now umemd.socket umemd.service" 2>/dev/null
expect "the service after its end" "$(as_user "systemctl --user is-active umemd.service" || true)" inactive
dpkg -P umemd libumemclient-dev "$(basename "$packages"/libumemclient[0-9]*.deb | sed 's/_.*//')" >/dev/null
as_user "systemctl --user daemon-reload"

# ---- the archive, unpacked somewhere ----

as_user "mkdir 'my programs' && tar -xzf /dev/stdin -C 'my programs'" <"$(echo "$packages"/umemd-*-Linux.tar.gz)"
as_user "systemctl --user link 'my programs'/umemd-*/lib/systemd/user/umemd.service && systemctl --user start umemd.service" 2>/dev/null
expect "the archive's service" "$(as_user "'my programs'/umemd-*/bin/umem info | grep -c '^name *umemd$'")" 1
