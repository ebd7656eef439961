# SPDX-License-Identifier: MIT
"""talk_line - talks of many to a file: how their lines are read and compared. As talk_line.h."""
import re


def fits(expected, got):
    """"{*}" stands for anything."""
    return re.fullmatch(b".*".join(re.escape(part) for part in expected.split(b"{*}")), got, re.S) is not None


def named(names, text):
    """The line with what its names stand for."""
    return re.sub(rb"\{([A-Z])\}", lambda m: names.get(m[1], b""), text)


def learn(names, expected, got):
    """"{V=*}" takes its value from what was said, up to the octet that follows it; it is "{*}" then."""
    mark = re.search(rb"\{([A-Z])=\*\}", expected)
    if mark:
        follows = expected[mark.end():mark.end() + 1]
        names[mark[1]] = got[mark.start():].split(follows)[0] if follows else got[mark.start():]
        expected = expected[:mark.start()] + b"{*}" + expected[mark.end():]
    return expected


def octets(text):
    """A client's line: escapes, and CRLF unless it ends with a backslash."""
    is_open = text.endswith(b"\\") and not text.endswith(b"\\\\")
    text = text[:-1] if is_open else text
    text = re.sub(rb"\\(x[0-9A-Fa-f]{2}|[rn\\])", lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x"
                  else {b"r": b"\r", b"n": b"\n", b"\\": b"\\"}[m[1]], text)
    return text if is_open else text + b"\r\n"


def talks(folder):
    """(name, lines) of each talk of a folder."""
    for path in sorted(folder.glob("*.talk")):
        for part in re.split(rb"(?m)^== ", path.read_bytes())[1:]:
            title, _, text = part.partition(b"\n")
            yield f"{path.stem}: {title.decode()}", text.split(b"\n")
