#!/bin/sh
# SPDX-License-Identifier: MIT
# crash.sh - the store's hard tests, long: 2,000 power cuts and 500 while LMTP delivers, each operation failing at each
# of its steps, 3,000 random histories, a mailbox of a million.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-$PWD/build/dev} SOURCE=$PWD
export BUILD SOURCE
tools/build.sh "$BUILD"
POWER_CUTS=${POWER_CUTS:-2000} tests/crash/test_power.py
DELIVERY_CUTS=${DELIVERY_CUTS:-500} tests/crash/test_delivery_power.py
CRASH_STEP=${CRASH_STEP:-1} tests/crash/test_crash.py
MILLION=${MILLION:-1000000} tests/crash/test_million.py
HISTORY_COUNT=${HISTORY_COUNT:-3000} "$BUILD/tests/store-test_history"
"$BUILD/tests/store-test_damage"
