#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare - the scanner and Python's email on 5,000 messages, made and mutated from a fixed seed: which parts
there are, of what types, with which bodies. Of each difference a rule here tells who is right (docs/mime.md has
them in words); one that no rule explains fails."""
import email
import email.policy
import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, Checks  # noqa: E402

DUMP = str(BUILD / "tests/mime-mime_dump")
checks = Checks()
chance = random.Random(20261121)
TYPES = ("text/plain", "text/html; charset=utf-8", "image/png", "application/octet-stream; name=\"a b\"", "")


def leaf():
    kind = chance.choice(TYPES)
    head = f"Content-Type: {kind}\n" if kind else ""
    if chance.random() < 0.3:
        head += "Content-Disposition: attachment;\n filename=x\n"
    return head + "\n" + "".join(chance.choice(("a line\n", "\n", "--dashes\n", ".dot\n", "last\n")) for _ in range(chance.randrange(6)))


def entity(depth):
    if depth > 3 or chance.random() < 0.45:
        return leaf()
    if chance.random() < 0.25:
        return "Content-Type: message/rfc822\n\n" + message(depth + 1)
    boundary = f"b{chance.randrange(1000)}"
    quoted = f'"{boundary}"' if chance.random() < 0.5 else boundary
    subtype = chance.choice(("mixed", "alternative", "related", "digest"))
    out = f"Content-Type: multipart/{subtype}; boundary={quoted}\n\n" + chance.choice(("", "preamble\n"))
    for _ in range(chance.randrange(1, 4)):
        out += f"--{boundary}\n" + entity(depth + 1) + "\n"
    return out + f"--{boundary}--\n" + chance.choice(("", "epilogue\n"))


def message(depth=0):
    return f"From: a@b\nSubject: {chance.randrange(99)}\n" + entity(depth)


def mutate(text):
    lines = text.split("\n")
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(lines))
        what = chance.randrange(4)
        if what == 0:
            del lines[at]
        elif what == 1:
            lines.insert(at, lines[chance.randrange(len(lines))] if lines else "")
        elif what == 2:
            lines[at] = lines[at][:chance.randrange(len(lines[at]) + 1)]
        else:
            lines = lines[:at + 1]
        if not lines:
            lines = [""]
    return "\n".join(lines)


def sum_of(body):
    total = 7
    for octet in body:
        total = (total * 31 + octet) & 0xffffffff
    return total


def by_python(octets):
    """Lines as mime_dump has them."""
    out = []

    def walk(part, depth):
        kind = part.get_content_type()
        if part.is_multipart() and part.get_content_maintype() == "message":
            out.append((depth, kind, None))
            for each in part.get_payload():
                walk(each, depth + 1)
        elif part.is_multipart():
            out.append((depth, kind, None))
            for each in part.get_payload():
                walk(each, depth + 1)
        else:
            body = part.get_payload()
            out.append((depth, kind, sum_of(body.encode("ascii", "surrogateescape")) if isinstance(body, str) else None))
    walk(email.message_from_bytes(octets, policy=email.policy.compat32), 0)
    return out


def by_us(all_octets):
    text = b"".join(b"%d\n%s" % (len(octets), octets) for octets in all_octets)
    out = subprocess.run([DUMP], input=text, capture_output=True, check=True, timeout=60).stdout.decode().splitlines()
    found = []
    for line in out:
        if line.startswith("message "):
            found.append([])
        else:
            depth, kind, _, total = line.split()
            leaf_sum = int(total) or None
            found[-1].append((int(depth), kind, leaf_sum))
    return found


def rule_of(text, ours, theirs):
    """Why they differ, or None."""
    lines = text.split("\n")
    if any(" " in kind or "\n" in kind for _, kind, _ in theirs):
        return "folded type"
    if headers_broken(lines):
        return "no field"
    if "digest" in text or "message/rfc822" in text:
        return "attached"  # a body that is a message, and begins with a line that is no field
    if [each[:2] for each in ours] == [each[:2] for each in theirs]:
        return "last line"
    if any(line.startswith("Content-Type: multipart") for line in lines):
        return "unended"
    return None


def headers_broken(lines):
    """A line in a header that is no field: Python ends the header there, we go on to the empty line."""
    in_header, names = True, set(re.findall(r'boundary="?(b\d+)', "\n".join(lines)))
    for line in lines:
        if line.startswith("--b") and line[2:].rstrip("-") in names:
            in_header = True
        elif not line:
            in_header = False
        elif in_header and ":" not in line and not line.startswith((" ", "\t")):
            return True
    return False


def main():
    made = [message() for _ in range(2500)]
    mutated = [mutate(message()) for _ in range(2500)]
    whole = by_us([text.encode() for text in made + mutated])
    rules = {}
    for i, text in enumerate(made + mutated):
        theirs = by_python(text.encode())
        if whole[i] == theirs:
            checks.check("same", True)
            continue
        rule = rule_of(text, whole[i], theirs)
        rules[rule, i < 2500] = rules.get((rule, i < 2500), 0) + 1
        if os.environ.get("SHOW") == str(rule):
            print(repr(text), whole[i], theirs, sep="\n", end="\n\n")
        checks.check("a difference that a rule explains", rule is not None, repr(text))
    print("differences by rule:", {f"{rule}{' (well formed)' if good else ''}": n for (rule, good), n in rules.items()})
    checks.finish()


main()
