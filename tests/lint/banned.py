#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""banned - calls that nobody makes, sizes that nobody exceeds (style 9, 10, 11)."""
import os
import pathlib
import re
import sys

source = pathlib.Path(os.environ.get("SOURCE", "."))
BANNED = {
    "src include examples": r"\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|strncpy)\s*\(",
    "src/base src/codec src/mime src/sasl src/proto":
        r"\b(time|clock|clock_gettime|gettimeofday|rand|random|getenv|setlocale|malloc|calloc|"
        r"printf|fprintf|read|write|open|isalpha|isdigit|isspace|tolower|toupper)\s*\(",
    "src include": r"\b(TODO|FIXME|XXX|HACK)\b",
}
LINES_MAX, FUNCTION_MAX = 800, 70


def without_comments(text):
    blank = lambda match: re.sub(r"[^\n]", " ", match[0])
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def long_functions(text):
    """Top-level braces in our layout: '{' and '}' stand alone in column 0."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_MAX:
                yield start, number - start
            start = None


passed, bad = 0, []
for folders, pattern in BANNED.items():
    for folder in folders.split():
        for file in sorted((source / folder).rglob("*.[ch]")):
            text = file.read_text()
            searched = text if "TODO" in pattern else without_comments(text)
            passed += 1
            for number, line in enumerate(searched.splitlines(), 1):
                if match := re.search(pattern, line):
                    if "->" + match[0] in line or "." + match[0] in line or "struct " + match[0] in line:
                        continue
                    bad.append(f"{file.relative_to(source)}:{number}: {match[0].strip()}")
for file in sorted(source.glob("src/**/*.[ch]")):
    text = file.read_text()
    passed += 1
    if text.count("\n") > LINES_MAX:
        bad.append(f"{file.relative_to(source)}: over {LINES_MAX} lines")
    if "SPDX-License-Identifier: MIT" not in text[:120]:
        bad.append(f"{file.relative_to(source)}: no licence line")
    bad += [f"{file.relative_to(source)}:{n}: function of {size} lines" for n, size in long_functions(text)]
print(*bad, sep="\n")
print(f"banned: {passed} passed, {len(bad)} failed")
sys.exit(bool(bad) or not passed)
