#!/bin/sh
# SPDX-License-Identifier: MIT
# lint.sh - the rules that hold the tree together; BUILD and SOURCE as for the tests.
set -u
passed=0 failed=0
for script in "$SOURCE"/tests/lint/*.sh "$SOURCE"/tests/lint/*.py; do
    if "$script"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $script"; fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
