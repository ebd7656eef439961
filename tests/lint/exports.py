#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exports - what libpostern.so exports is exactly what the public headers declare (design 3)."""
import os
import pathlib
import re
import subprocess
import sys

source, build = pathlib.Path(os.environ["SOURCE"]), os.environ["BUILD"]
declared = set()
for header in (source / "include/postern").glob("*.h"):
    text = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S)
    for match in re.finditer(r"POSTERN_API\b[^;{]*?\b(postern_\w+)\s*\(", text):
        declared.add(match[1])
out = subprocess.run(["nm", "-D", "--defined-only", f"{build}/libpostern.so"],
                     capture_output=True, text=True, check=True).stdout
exported = {line.split()[-1].split("@")[0] for line in out.splitlines()}
exported = {name for name in exported if not name.startswith("POSTERN_") and not name.startswith("_")}
bad = [f"declared, not exported: {n}" for n in sorted(declared - exported)]
bad += [f"exported, not declared: {n}" for n in sorted(exported - declared)]
print(*bad, sep="\n")
print(f"exports: {len(declared & exported)} passed, {len(bad)} failed")
sys.exit(bool(bad) or not declared)
