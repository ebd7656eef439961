#!/bin/sh
# SPDX-License-Identifier: MIT
# valgrind.sh BUILD - the unit tests of the pure layers, the stores and the accounts under memcheck.
set -u
build=$1
passed=0 failed=0
for program in "$build"/tests/unit-*; do
    case $program in
        # threads and sockets under memcheck take minutes and tell what ASan has told
        *unit-net-*|*unit-pop3-test_memory*) continue ;;
    esac
    if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --suppressions="$(dirname "$0")/valgrind.supp" "$program" \
        >/dev/null 2>build/logs/valgrind.err; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1)); echo "valgrind: $program"; cat build/logs/valgrind.err
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
