#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh DIR [cmake arguments] - configure DIR once, build it.
set -eu
cd "$(dirname "$0")/.."
dir=$1; shift
cmake -S . -B "$dir" -G Ninja "$@" >"/dev/null"
ninja -C "$dir" --quiet
