#!/bin/sh
# SPDX-License-Identifier: MIT
# install - `make install` with DESTDIR gives a library that pkg-config and CMake find, and that a
# program outside the tree builds with and runs.
set -eu
passed=0
fail() { echo "install: $*"; echo "install: $passed passed, 1 failed"; exit 1; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
DESTDIR=$work/dest cmake --install "$BUILD" --prefix /usr >/dev/null || fail "cmake --install"
pc=$(dirname "$(find "$work/dest" -name libpostern.pc)")
libdir=$(dirname "$pc")
cat >"$work/use.c" <<'END'
#include <postern/pop3.h>
#include <stdio.h>
int main(void)
{
    struct postern_pop3_options options;
    struct postern_pop3 *session;
    POSTERN_POP3_OPTIONS_INIT(&options);
    if (postern_pop3_new(&session, &options, NULL, 0) < 0)
        return 1;
    postern_pop3_free(&session);
    puts(postern_err_name(POSTERN_E_NOMEM));
    return 0;
}
END
export PKG_CONFIG_PATH="$pc"
san=$(sed -n 's/^POSTERN_SANITIZE:STRING=\(..*\)/-fsanitize=\1/p' "$BUILD/CMakeCache.txt")
${CC:-cc} $san -std=c17 -o "$work/shared" "$work/use.c" $(pkg-config --cflags --libs libpostern) || fail "shared build"
[ "$(LD_LIBRARY_PATH=$libdir "$work/shared")" = NOMEM ] || fail "shared run"
passed=$((passed + 1))
${CC:-cc} $san -std=c17 -o "$work/static" "$work/use.c" -I"$work/dest/usr/include" "$libdir/libpostern.a" -lutf8proc -pthread || fail "static build"
[ "$("$work/static")" = NOMEM ] || fail "static run"
passed=$((passed + 1))
printf 'cmake_minimum_required(VERSION 3.25)\nproject(use C)\nfind_package(postern REQUIRED)\nadd_executable(use use.c)\ntarget_link_libraries(use postern::shared)\n' >"$work/CMakeLists.txt"
cmake -S "$work" -B "$work/b" -G Ninja -Dpostern_DIR="$libdir/cmake/postern" -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_C_FLAGS="$san" >/dev/null && ninja -C "$work/b" --quiet || fail "cmake package"
[ "$("$work/b/use")" = NOMEM ] || fail "cmake run"
passed=$((passed + 1))
for file in share/man/man1/postern.1 share/man/man5/postern.conf.5 share/man/man3/libpostern.3 \
    lib/systemd/system/postern.service share/postern/systemd/sendmail.conf share/postern/sample/01-plain.eml bin/postern; do
    [ -s "$work/dest/usr/$file" ] || fail "no $file"
    passed=$((passed + 1))
done
[ -e "$libdir/libpostern.so.0" ] || fail "no libpostern.so.0"
passed=$((passed + 1))
# the unit: what systemd says of it; and the drop-in takes back all that implies NoNewPrivileges
unit=$work/postern.service
sed "s|^ExecStart=[^ ]*|ExecStart=$work/dest/usr/bin/postern|" "$work/dest/usr/lib/systemd/system/postern.service" >"$unit"
for setting in NoNewPrivileges LockPersonality MemoryDenyWriteExecute PrivateDevices ProtectClock ProtectHostname ProtectKernelLogs \
    ProtectKernelModules ProtectKernelTunables RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID \
    SystemCallArchitectures SystemCallFilter; do
    grep -q "^$setting=." "$unit" || fail "the unit has no $setting"
    grep -Eq "^$setting=(no)?$" "$work/dest/usr/share/postern/systemd/sendmail.conf" || fail "sendmail.conf leaves $setting"
    passed=$((passed + 1))
done
if command -v systemd-analyze >/dev/null; then
    said=$(systemd-analyze verify --man=no "$unit" 2>&1) && [ -z "$said" ] || fail "the unit: $said"
    systemd-analyze security --offline=true --no-pager --threshold=25 "$unit" >/dev/null || fail "the unit keeps too much"
    sed -n '/^\[Service\]/,$p' "$work/dest/usr/share/postern/systemd/sendmail.conf" >>"$unit"
    said=$(systemd-analyze verify --man=no "$unit" 2>&1) && [ -z "$said" ] || fail "sendmail.conf: $said"
    passed=$((passed + 3))
fi
echo "install: $passed passed, 0 failed"
