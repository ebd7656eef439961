#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare - the scanner, Python's email and GMime on 5,000 messages, made and mutated from a fixed seed: which parts
there are, of what types, with which bodies; the subject and the file names, decoded. Of each difference a rule here
tells who is right (docs/mime.md has them in words); one that no rule explains fails."""
import email
import email.errors
import email.header
import email.policy
import email.utils
import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, Checks  # noqa: E402

DUMP, GMIME = str(BUILD / "tests/mime-mime_dump"), str(BUILD / "tests/mime-gmime_dump")
checks = Checks()
chance = random.Random(20261121)
TYPES = ("text/plain", "text/html; charset=utf-8", "image/png", "application/octet-stream; name=\"a b\"", "")
FILENAMES = ("filename=x", "filename*=utf-8''%c3%bc%20x", "filename*0=a;\n filename*1=\" b\"", 'filename="a \\"b\\""',
             "filename*0*=iso-8859-1'de'%fc;\n filename*1=%41", "filename*1=b; filename*0=a", "name=no")
SUBJECTS = ("plain", "=?utf-8?q?a_=c3=bc?= b", "=?ISO-8859-1?Q?=FC?= =?utf-8?b?w7w=?=", "=?utf-8?b?w7w?=", "a\n =?utf-8?q?b?=\n c",
            "=?utf-8?q?broken", "=?utf-8?x?a?=")


def leaf():
    kind = chance.choice(TYPES)
    head = f"Content-Type: {kind}\n" if kind else ""
    if chance.random() < 0.3:
        head += "Content-Disposition: attachment;\n " + chance.choice(FILENAMES) + "\n"
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
    return f"From: a@b\nSubject: {chance.choice(SUBJECTS)}\n" + entity(depth)


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
    """(parts, values) as by_dump has them."""
    parts, names = [], []

    def walk(part, depth):
        kind, body = part.get_content_type(), part.get_payload()
        leaf_sum = sum_of(body.encode("ascii", "surrogateescape")) if isinstance(body, str) else None
        parts.append((depth, kind, leaf_sum))
        if part.get("content-disposition") and part.get_param("filename", header="content-disposition") is not None:
            names.append(email.utils.collapse_rfc2231_value(part.get_param("filename", header="content-disposition")))
        if part.is_multipart():
            for each in body:
                walk(each, depth + 1)
    whole = email.message_from_bytes(octets, policy=email.policy.compat32)
    walk(whole, 0)
    subject = re.sub("\r?\n", "", whole.get("subject", "").strip())
    try:
        subject = str(email.header.make_header(email.header.decode_header(subject)))
    except (email.errors.HeaderParseError, LookupError, ValueError):
        pass
    return parts, (subject, names)


def by_dump(program, all_octets):
    """What mime_dump or gmime_dump says: for each message its parts (depth, type, checksum of a leaf), and the values
    (subject, file names)."""
    text = b"".join(b"%d\n%s" % (len(octets), octets) for octets in all_octets)
    out = subprocess.run([program], input=text, capture_output=True, check=True, timeout=60).stdout.decode(errors="replace")
    found = []
    for line in out.split("\n")[:-1]:
        if line.startswith("message "):
            found.append(([], ["", []]))
        elif line.startswith("subject "):
            found[-1][1][0] = line[8:]
        elif line.startswith("filename "):
            found[-1][1][1].append(line[9:])
        else:
            depth, kind, _, total = line.split()
            found[-1][0].append((int(depth), kind, int(total) or None))
    return [(parts, tuple(values)) for parts, values in found]


def rule_of(text, ours, theirs):
    """Why they differ, or None."""
    lines = text.split("\n")
    if not theirs:
        return "no header"  # GMime finds no message
    if [(d, k, s) for d, k, s in ours] == [(d, k.replace("application/octet-stream", "text/plain"), s) for d, k, s in theirs]:
        return "no type"  # RFC 2045 5.2: what is no type is text/plain
    if any(" " in kind or "\n" in kind or kind.endswith("/") for _, kind, _ in theirs):
        return "folded or half a type"
    if headers_broken(lines):
        return "no field"
    if "digest" in text or "message/rfc822" in text:
        return "attached"  # a body that is a message, and begins with a line that is no field
    if [each[:2] for each in ours] == [each[:2] for each in theirs]:
        return "last line"
    if any(line.startswith("Content-Type: multipart") for line in lines):
        return "unended"
    return None


def rule_of_values(text, ours, theirs):
    """Why values differ where the parts are the same, or None."""
    if ours[0] != theirs[0] and "?b?w7w?=" in text:
        return "no padding"  # GMime wants it whole
    if re.search(r"filename\*1", text) and any(name not in ours[1] for name in theirs[1]):
        return "no first section"  # both others begin with the second
    if any(text.count(field) > 1 for field in ("Subject:", "Content-Disposition:", "filename")):
        return "twice"  # we take the first
    if any("\ufffd" in name for name in ours[1]):
        return "half a character"  # GMime gives nothing of it
    if re.search(r"filename\*0$", text):
        return "no value"  # without a "=" it is no parameter
    if re.search(r"--(b\d+)\n--\1--\n", text):
        return "empty part"  # Python reads on behind the end
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


def compare(who, text, ours, theirs, rules, good):
    kinds = [("parts", ours[0], theirs[0], rule_of)]
    if ours[0] == theirs[0]:
        kinds.append(("values", ours[1], theirs[1], rule_of_values))
    for what, mine, other, explain in kinds:
        if mine == other:
            checks.check("same", True)
            continue
        rule = explain(text, mine, other)
        label = f"{who} {what} {rule}{' (well formed)' if good else ''}"
        rules[label] = rules.get(label, 0) + 1
        if os.environ.get("SHOW") == f"{who} {rule}":
            print(repr(text), mine, other, sep="\n", end="\n\n")
        checks.check(f"a difference from {who} that a rule explains", rule is not None, f"{text!r}\n{mine}\n{other}")


def main():
    made = [message() for _ in range(2500)]
    texts = made + [mutate(message()) for _ in range(2500)]
    octets = [text.encode() for text in texts]
    ours, gmime = by_dump(DUMP, octets), by_dump(GMIME, octets)
    rules = {}
    for i, text in enumerate(texts):
        compare("Python", text, ours[i], by_python(octets[i]), rules, i < len(made))
        compare("GMime", text, ours[i], gmime[i], rules, i < len(made))
    print("differences by rule:", *(f"  {label}: {n}" for label, n in sorted(rules.items())), sep="\n")
    checks.finish()


main()
