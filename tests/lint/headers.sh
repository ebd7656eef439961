#!/bin/sh
# SPDX-License-Identifier: MIT
# headers - each public header compiles alone as C17 and as C++17.
passed=0 failed=0
for header in "$SOURCE"/include/postern/*.h; do
    for how in "${CC:-cc} -std=c17 -x c" "c++ -std=c++17 -x c++"; do
        if $how -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I "$SOURCE/include" "$header"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1)); echo "headers: $how $header"
        fi
    done
done
echo "headers: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
