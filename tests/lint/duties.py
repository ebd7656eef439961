#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""duties - every duty of docs/*-duties.md has a mark in the code and one in a test.

A mark is the duty's number as a word (R13, X4); of IMAP the section and a running number (I 6.4.8-3; I 7162:3.2.5-1 of another RFC
than 9051), and there a mark without a duty is wrong as well. A duty of deployment says `docs: ... (FILE...)`; then FILE must be there and
have the number (the list itself: a second time). What is not built yet says `open: ...`."""
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[2]
LETTER = r"^- ([A-Z]\d+) (.*)$"
SECTION = r"^- I ((?:\d{4,5}:)?\d+(?:\.\d+)*-\d+) (.*)$"
# of IMAP
MARK = r"\bI ((?:\d{4,5}:)?\d+(?:\.\d+)*-\d+)\b"
CODE = ("src/proto/imap", "src/mime", "src/serve", "src/provider", "src/store", "src/net", "src/daemon", "src/sasl", "include/postern/imap.h")
TESTS = ("tests/wire", "tests/unit/proto/imap", "tests/interop", "tests/fuzz")
# list, its lines, numbers, folders of the code and of the tests
LISTS = (("docs/pop3-duties.md", LETTER, r"\b([RX]\d{1,3})\b", ("src", "include"), ("tests",)),
         ("docs/imap-duties.md", SECTION, MARK, CODE, TESTS),
         ("docs/imap-extension-duties.md", SECTION, MARK, CODE, TESTS),
         ("docs/smtp-duties.md", LETTER, r"\b([A-T]\d{1,2})\b",
          ("src/proto/smtp", "src/serve", "src/accounts", "src/net", "src/daemon", "src/cli", "src/sasl", "include/postern/smtp.h"),
          ("tests/wire/smtp", "tests/unit/proto/smtp", "tests/interop/test_smtp_clients.py", "tests/crash/test_delivery.py",
           "tests/interop/test_smtp_server.py", "tests/interop/test_smtp_delivery.py",
           "tests/interop/test_smtp_relay.py")))


def files(places, suffixes):
    for place in places:
        path = root / place
        yield from (one for one in ([path] if path.is_file() else path.rglob("*"))
                    if one.suffix in suffixes and one.is_file() and one.resolve() != pathlib.Path(__file__).resolve())


def marks(mark, places, suffixes):
    found = set()
    for path in files(places, suffixes):
        found.update(mark.findall(path.read_text(encoding="utf-8", errors="replace")))
    return found


def told(number, text, mark, own):
    """What is wrong with a duty of deployment; empty when nothing is."""
    where = re.search(r"\((docs/[\w-]+\.md)", text)
    if not where:
        return ["names no file of docs/"]
    page = root / where.group(1)
    times = mark.findall(page.read_text(encoding="utf-8")).count(number) if page.is_file() else 0
    return [] if times > (page == own) else [f"is not dealt with in {where.group(1)}"]


def duties_of(name, lines):
    return re.findall(lines, (root / name).read_text(encoding="utf-8"), re.M)


def strays():
    """Marks of IMAP that no list has, and numbers that are given twice."""
    numbers = [number for name, lines, *_ in LISTS if lines is SECTION for number, _ in duties_of(name, lines)]
    wrong = [f"I {number} is given twice" for number in sorted(set(numbers)) if numbers.count(number) > 1]
    for places, suffixes in ((CODE, {".c", ".h"}), (TESTS, {".c", ".h", ".py", ".talk"})):
        wrong += [f"I {number} is marked in {places[0]} and the like, and no list has it"
                  for number in sorted(marks(re.compile(MARK), places, suffixes) - set(numbers))]
    for why in wrong:
        print(why)
    return len(wrong)


def judge_list(name, lines, pattern, code_in, tests_in):
    mark = re.compile(pattern)
    duties = duties_of(name, lines)
    code = marks(mark, code_in, {".c", ".h"})
    tests = marks(mark, tests_in, {".c", ".h", ".py", ".sh", ".talk"})
    passed = failed = still_open = 0
    for number, text in duties:
        if text.startswith("open:"):
            still_open += 1
            continue
        wrong = told(number, text, mark, root / name) if text.startswith("docs:") else \
            [why for have, why in ((code, "has no mark in the code"), (tests, "has no mark in a test")) if number not in have]
        for why in wrong:
            print(f"{name}: {number} {why}: {text}")
        failed += bool(wrong)
        passed += not wrong
    return passed, failed, still_open


def main():
    sums = [sum(column) for column in zip(*(judge_list(*one) for one in LISTS))]
    sums[1] += strays()
    print(f"{sums[0]} passed, {sums[1]} failed, {sums[2]} skipped")
    return bool(sums[1]) or not sums[0]


sys.exit(main())
