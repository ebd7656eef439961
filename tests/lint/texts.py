#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""texts - every text that ends an IMAP command is in the table of languages, once, and is used."""
import os
import pathlib
import re
import sys

folder = pathlib.Path(os.environ.get("SOURCE", ".")) / "src/proto/imap"
table = (folder / "text.c").read_text()
known = re.findall(r'^    \{"((?:[^"\\]|\\.)*)",', table, re.M)
code = {path: path.read_text() for path in sorted(folder.glob("*.c")) if path.name != "text.c"}
SAID = re.compile(
    r'\b(?:imap_ok|imap_no|imap_bad|imap_bad_code|append_fail|imap_result_take)\(s,([^;]*?)\);'
    r'|\bwhy = ([^;]*?);|return ([^;]*?);', re.S)
passed, faults = 0, []

for text in sorted(set(known)):
    passed += 1
    if known.count(text) > 1:
        faults.append(f"text.c: {text!r} is there twice")
    if not any(f'"{text}"' in source for source in code.values()):
        faults.append(f"text.c: nobody says {text!r}")
for path, source in code.items():
    for said in SAID.findall(source):
        for text in re.findall(r'"([a-z][^"]* [^"]*|[a-z]+|[A-Z]+ [a-z][^"]*)"', "".join(said)):
            passed += 1
            if text not in known and not said[2]:
                faults.append(f"{path.name}: {text!r} is in English alone")
for fault in faults:
    print(fault)
print(f"{passed - len(faults)} passed, {len(faults)} failed")
sys.exit(bool(faults))
