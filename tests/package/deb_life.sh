#!/usr/bin/env bash
# The life of the Debian packages in a system that may be thrown away: installed by the commands of docs/installing.md, used by
# somebody who is not root, upgraded under a running daemon, removed and purged. As root; `./dev package` runs it in a bare Debian.
#
#   deb_life.sh FOLDER SOURCES    FOLDER: where the packages are
set -euo pipefail

packages=$(cd "$1" && pwd)
sources=$(cd "$2" && pwd)
export DEBIAN_FRONTEND=noninteractive
work=$(mktemp -d)
document=$sources/docs/installing.md
. "$sources/tests/support/readme_blocks.sh"

clean_up()
{
    as_user "umem shutdown" >/dev/null 2>&1 || true
    rm -rf "$work"
}

fail()
{
    printf '%s\n' "deb_life: $*" >&2
    exit 1
}

# What is in the system, but for what the system itself writes when packages come and go.
files()
{
    find / -xdev \( -path /proc -o -path /dev -o -path /root -o -path /tmp -o -path /home -o -path /var/lib/dpkg -o -path /var/lib/apt \
        -o -path /var/cache -o -path /var/log -o -path /etc/ld.so.cache \) -prune -o -print | sort
}

# as_user COMMAND: in a session without systemd, as by ssh to a small machine.
as_user()
{
    su someone -s /bin/sh -c "cd && PATH=/usr/bin:/bin; $1"
}

[ "$(id -u)" -eq 0 ] || fail "only root installs packages"
! dpkg-query -W umemd >/dev/null 2>&1 || fail "umemd is installed here: this is not a system that may be thrown away"

# The rest of what the commands need, which is not ours.
apt-get -qq update
read -r -a needed <<<"$(dpkg-deb -f "$packages"/umemd_*.deb Depends | sed 's/([^)]*)//g; s/,/ /g')"
needed+=(gcc libc6-dev pkgconf python3)
apt-get -qq install -y --no-install-recommends "${needed[@]}" >/dev/null
useradd --create-home someone
trap clean_up EXIT
files >"$work/before"

# ---- installed, by the document's commands; no systemd runs here ----

cd "$packages"
block bash 1 | sed 's/^sudo //; /^systemctl /d; s/^apt install/apt-get -qq install -y/' >"$work/install.sh"
[ "$(grep -c '^apt-get -qq install -y \./' "$work/install.sh")" -eq 1 ] || fail "docs/installing.md has another first block"
grep -v '^umem' "$work/install.sh" | bash -e >/dev/null
expect "the packages" "$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' umemd 'libumemclient*' | sort)" \
    "$(printf 'libumemclient-dev installed\n%s installed\numemd installed' "$(basename "$packages"/libumemclient[0-9]*.deb | sed 's/_.*//')")"

# ---- used by somebody who is not root ----

as_user "umemd --daemon"
as_user "umem alloc 16 --name greeting && umem write greeting hello" >/dev/null
expect "a block's bytes" "$(as_user "umem read greeting --size 5")" hello
document=$sources/README.md
block c 1 >/home/someone/example.c
document=$sources/docs/installing.md
block bash 2 >/home/someone/build.sh
chmod 644 /home/someone/{example.c,build.sh}
expect "a program" "$(as_user "sh -e build.sh")" "ff ff ff ff"
expect "its library" "$(as_user "ldd ./example | grep -c 'libumemclient.*=> /'")" 1
dpkg -i "$packages"/python3-umem_*.deb >/dev/null
expect "the same in Python" \
    "$(as_user "python3 -c 'import umem; print(umem.connect().open(\"greeting\").read(0, 5).decode())'")" hello
[ -f /usr/share/man/man8/umemd.8.gz ] || [ -f /etc/dpkg/dpkg.cfg.d/docker ] || fail "the manual page is not there"

# ---- upgraded while a daemon runs, which goes on with what it has ----

for package in "$packages"/*.deb; do
    name=$(basename "$package" .deb)
    dpkg-deb -R "$package" "$work/$name"
    # A later build of the same.
    sed -i -E 's/^(Version: .*)-1$/\1-2/; s/\(= ([0-9.]+)-1\)/(= \1-2)/' "$work/$name/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$work/$name" "$work/$name.upgrade.deb" >/dev/null
done
dpkg -i "$work"/*.upgrade.deb >/dev/null
[[ $(dpkg-query -W -f '${Version}' umemd) == *-2 ]] || fail "umemd was not upgraded"
expect "the same daemon's block" "$(as_user "umem read greeting --size 5")" hello
as_user "umem shutdown"
as_user "umemd --daemon && umem ping" >/dev/null
echo "the new daemon: as expected"

# ---- removed and purged: nothing of ours stays ----

dpkg -r umemd >/dev/null
! as_user "command -v umem" >/dev/null || fail "umem is still there"
dpkg -P python3-umem >/dev/null
dpkg -P libumemclient-dev "$(basename "$packages"/libumemclient[0-9]*.deb | sed 's/_.*//')" umemd >/dev/null
files >"$work/after"
expect "what stays" "$(diff "$work/before" "$work/after" || true)" ""
expect "packages that stay" "$(dpkg-query -W -f '${db:Status-Status}\n' umemd 'libumemclient*' 2>/dev/null | grep -cv '^not-installed$' || true)" 0
