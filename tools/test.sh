#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh - all that must pass: the whole suite built by gcc, the whole suite built by clang under
# ASan+UBSan, the unit tests under valgrind; in CI (CI=true) 30 s of every fuzz target as well.
# The last line counts everything.
set -u
cd "$(dirname "$0")/.."
tools/setup.sh test || exit $?
logs=build/logs
mkdir -p "$logs"
failed_stages=

# stage NAME COMMAND... - run it, keep its output, remember a failure
stage() {
    name=$1; shift
    echo "== $name"
    if "$@" >"$logs/$name.log" 2>&1; then
        tail -n 3 "$logs/$name.log"
    else
        failed_stages="$failed_stages $name"
        grep -vE '^ *$' "$logs/$name.log" | tail -n 150
        echo "== $name FAILED"
    fi
}

stage build-gcc tools/build.sh build/release -DCMAKE_C_COMPILER=gcc
stage test-gcc ctest --test-dir build/release -j2 --timeout 600 -V --no-tests=error
stage build-sanitized tools/build.sh build/sanitized -DCMAKE_C_COMPILER=clang -DPOSTERN_SANITIZE=address,undefined -DPOSTERN_FTS=ON
stage test-sanitized ctest --test-dir build/sanitized -j2 --timeout 900 -V --no-tests=error
stage valgrind tools/valgrind.sh build/release
stage pam tools/build.sh build/pam -DPOSTERN_PAM=ON
if [ "${CI:-}" = true ]; then
    stage fuzz tools/fuzz.sh 30
fi

tools/count.py "$logs" $failed_stages
