#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap_hostile - commands of a size or depth that no client sends, to `postern serve`: each has its answer, the next
command works, and memory does not follow."""
import os
import pathlib
import re
import socket
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Checks, Server  # noqa: E402

checks = Checks()
MEMORY_KB = 65536  # a hundred times the longest of them
os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=8"  # else a sanitizer keeps 256 MiB of what was freed


def resident(server):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])


def answer(sock, tag, octets):
    """Up to the tagged line."""
    sock.sendall(octets)
    got = b""
    while not re.search(rb"(?m)^" + tag + rb" [^\n]*\n\Z", got):
        part = sock.recv(65536)
        if not part:
            raise EOFError(got[-200:])
        got += part
    return got


def numbers(n):
    return b",".join(b"%d" % (2 * i + 1) for i in range(n))


def hostile(n):
    """(command, how its tagged answer begins; empty: it may be taken or refused)"""
    return [(b"search " + b"(" * n + b"1" + b")" * n, b"BAD too many levels"),
            (b"search " + b"not " * n + b"1", b"BAD too many levels"),
            (b"search " + b"or " * n + b"1 " * n + b"1", b"BAD too many levels"),
            (b"thread references utf-8 " + b"not " * n + b"1", b"BAD too many levels"),
            (b"sort (" + b"reverse date " * n + b"size) utf-8 all", b"BAD"),
            (b"uid fetch " + numbers(n) + b" flags", b"OK"),
            (b"uid search uid " + numbers(n), b"OK"),
            (b"fetch " + numbers(n) + b" flags", b"BAD"),
            (b'list "" "' + b"*%" * n + b'x"', b"OK"),
            (b"fetch 1 (" + b"flags " * n + b"uid)", b""),
            (b"fetch 1 " + b"(" * n, b"BAD"),
            (b"fetch 1 body[" + b"1." * n + b"1]", b""),
            (b"store 1 flags (" + b"a " * n + b"a)", b""),
            (b"login " + b"{1+}\r\nx" * n, b"BAD"),
            (b"select inbox (qresync (1 1 " + numbers(n) + b" (" + numbers(n) + b" " + numbers(n) + b")))", b""),
            (b"id (" + b'"a" "b" ' * n + b'"a" "b")', b""),
            (b"x" * n, b"BAD")]


def logged_in(server):
    sock = socket.create_connection(("127.0.0.1", server.imap), timeout=60)
    sock.recv(4096)
    answer(sock, b"a", b"a login alice secret\r\n")
    answer(sock, b"b", b"b enable qresync\r\n")
    return sock


def test_hostile(server):
    with logged_in(server) as sock:
        answer(sock, b"c", b"c append inbox {5+}\r\nabcde\r\n")
    for n in (1000, 20000):
        for command, want in hostile(n):
            what = f"{n} in {command[:24]!r}"
            with logged_in(server) as sock:
                answer(sock, b"s", b"s select inbox\r\n")
                before = resident(server)
                got = answer(sock, b"x", b"x " + command + b"\r\n").split(b"\r\n")[-2]
                checks.check(what, got.startswith(b"x " + want), got[:100])
                checks.check(f"{what}: memory", resident(server) - before < MEMORY_KB)
                checks.check(f"{what}: and on", b"y OK" in answer(sock, b"y", b"y noop\r\n"))


def test_bomb(server):
    """A little that inflates to very much: it has its answer, or the session ends; memory does not follow."""
    for name, octets in (("zeros", bytes(1 << 28)), ("lines", b"x\r\n" * (1 << 22)), ("noops", b"a noop\r\n" * (1 << 20))):
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = squeeze.compress(octets) + squeeze.flush(zlib.Z_SYNC_FLUSH)
        before = resident(server)
        with logged_in(server) as sock:
            answer(sock, b"c", b"c compress deflate\r\n")
            sock.settimeout(60)
            told = 0
            try:
                for at in range(0, len(bomb), 65536):
                    sock.sendall(bomb[at:at + 65536])
                sock.shutdown(socket.SHUT_WR)
                while part := sock.recv(1 << 20):
                    told += len(part)
            except (ConnectionError, TimeoutError) as error:
                checks.check(f"bomb of {name}: cut off, not hanging", isinstance(error, ConnectionError), error)
            checks.check(f"bomb of {name}: memory", resident(server) - before < MEMORY_KB, resident(server) - before)
            checks.check(f"bomb of {name}: an answer", told > 0 or name == "zeros", told)
    with logged_in(server) as sock:
        answer(sock, b"c", b"c compress deflate\r\n")
        sock.sendall(b"d noop\r\n" * 100)  # no such stream
        try:
            checks.check("not deflated: it ends", sock.recv(4096) == b"")
        except ConnectionError:
            checks.check("not deflated: it ends", True)
    with logged_in(server) as sock:
        checks.check("the server goes on", b"y OK" in answer(sock, b"y", b"y noop\r\n"))


def main():
    server = Server()
    try:
        checks.run("hostile", test_hostile, server)
        checks.run("bomb", test_bomb, server)
        checks.check("server ends with 0", server.stop() == 0)
    finally:
        server.stop()
    checks.finish()


main()
