#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""purity - the pure layers refer to nothing outside but this list (design 2). Reads the archives."""
import os
import re
import subprocess
import sys

build = os.environ["BUILD"]
LAYERS = ["base", "codec", "mime", "sasl", "wire", "pop3", "imap", "smtp", "http", "milter"]
ALLOWED = re.compile(
    r"^(mem(cpy|move|set|cmp|chr|rchr|mem)|bcmp|memmem|str(len|cmp|ncmp|chr|nlen)|"
    r"__(memcpy|memmove|memset|strcat|strcpy|stpcpy)_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|"
    r"__sanitizer_\w+|__asan_\w+|__ubsan_\w+|__sancov_\w+|utf8proc_\w+)$")
# the default allocator is the one door to the system, and stands in one object
EXTRA = {"base": {"realloc", "free"},
         # charsets of mail are many, and known to the C library
         "codec": {"iconv", "iconv_open", "iconv_close", "__errno_location", "free"}}

archives, defined, undefined = [], set(), {}
for layer in LAYERS:
    path = f"{build}/libpostern_{layer}.a"
    out = subprocess.run(["nm", "-A", path], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        parts = line.split()
        symbol, kind = parts[-1], parts[-2]
        if kind == "U":
            undefined.setdefault(symbol, set()).add(layer)
        else:
            defined.add(symbol)
passed, bad = 0, []
for symbol, layers in sorted(undefined.items()):
    if symbol in defined or ALLOWED.match(symbol):
        passed += 1
        continue
    for layer in sorted(layers):
        if symbol in EXTRA.get(layer, ()):
            passed += 1
        else:
            bad.append(f"{layer} refers to {symbol}")
print(*bad, sep="\n")
print(f"purity: {passed} passed, {len(bad)} failed")
sys.exit(bool(bad) or not passed)
