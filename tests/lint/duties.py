#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""duties - every duty of docs/pop3-duties.md has a mark in the code and one in a test.

A mark is the duty's number as a word (R13, X4). A duty of deployment says `docs: ... (FILE...)`; then
FILE must be there and have the number (the list itself: a second time)."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
MARK = re.compile(r"\b([RX]\d{1,3})\b")


def marks(folders, suffixes):
    found = set()
    for folder in folders:
        for path in (root / folder).rglob("*"):
            if path.suffix in suffixes and path.is_file() and path.resolve() != pathlib.Path(__file__).resolve():
                found.update(MARK.findall(path.read_text(encoding="utf-8", errors="replace")))
    return found


def judge(number, text, code, tests):
    """What is wrong with this duty; empty when nothing is."""
    if text.startswith("docs:"):
        where = re.search(r"\((docs/[\w-]+\.md)", text)
        if not where:
            return ["names no file of docs/"]
        page = root / where.group(1)
        here = page.name == "pop3-duties.md"
        there = page.is_file() and MARK.findall(page.read_text(encoding="utf-8")).count(number) > here
        return [] if there else [f"is not dealt with in {where.group(1)}"]
    return [why for have, why in ((code, "has no mark in src or include"), (tests, "has no mark in a test"))
            if number not in have]


def main():
    duties = re.findall(r"^- ([RX]\d+) (.*)$", (root / "docs/pop3-duties.md").read_text(encoding="utf-8"), re.M)
    code = marks(["src", "include"], {".c", ".h"})
    tests = marks(["tests"], {".c", ".h", ".py", ".sh", ".talk"})
    passed = failed = 0
    for number, text in duties:
        wrong = judge(number, text, code, tests)
        for why in wrong:
            print(f"{number} {why}: {text}")
        failed += bool(wrong)
        passed += not wrong
    print(f"{passed} passed, {failed} failed")
    return bool(failed) or not passed


sys.exit(main())
