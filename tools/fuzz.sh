#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh SECONDS - run each libFuzzer target so long (two at a time), from the committed seeds;
# a finding is left in build/fuzz/findings and fails the run.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-30}
CC=clang tools/build.sh build/fuzz -DPOSTERN_FUZZ=ON -DPOSTERN_SANITIZE=address,undefined -DCMAKE_C_COMPILER=clang
mkdir -p build/fuzz/findings build/fuzz/corpus
one() {
    name=$(basename "$1"); short=${name#fuzz_}
    mkdir -p "build/fuzz/corpus/$short"
    if "$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -max_len=16384 \
        -artifact_prefix="build/fuzz/findings/$short-" "build/fuzz/corpus/$short" "tests/fuzz/corpus/$short" \
        >"build/fuzz/$short.log" 2>&1; then
        echo "fuzz $short: $(grep -o 'number_of_executed_units: [0-9]*' "build/fuzz/$short.log" | tr -d a-z_:\ ) runs, nothing found"
    else
        tail -40 "build/fuzz/$short.log"; echo "fuzz $short: FAILED"; return 1
    fi
}
passed=0 failed=0 running=
for target in build/fuzz/fuzz/fuzz_*; do
    [ -x "$target" ] || continue
    one "$target" & running="$running $!"
    # two cores: two at a time
    set -- $running
    if [ $# -ge 2 ]; then
        if wait "$1"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
        shift; running=$*
    fi
done
for pid in $running; do
    if wait "$pid"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
