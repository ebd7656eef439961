#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""count.py LOGS [FAILED-STAGE...] - add up what the stages' logs count: cmocka's summaries and
our own "N passed, N failed" lines; a failed stage that shows no failed test counts as one."""
import pathlib
import re
import sys

passed = failed = skipped = 0
failed_stages = sys.argv[2:]
for log in sorted(pathlib.Path(sys.argv[1]).glob("*.log")):
    text = log.read_text(errors="replace")
    here = 0
    for match in re.finditer(r"\[  PASSED  \] (\d+) test", text):
        passed += int(match[1])
    for match in re.finditer(r"\[  FAILED  \] *(\d+) test", text):
        here += int(match[1])
    for match in re.finditer(r"(?:^|: )(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.M):
        passed += int(match[1])
        here += int(match[2])
        skipped += int(match[3] or 0)
    if log.stem in failed_stages and here == 0:
        here = 1
    failed += here
if failed_stages:
    print("failed stages:", " ".join(failed_stages))
print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
sys.exit(1 if failed_stages or failed or not passed else 0)
