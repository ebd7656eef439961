#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""million - one mailbox of MILLION messages (20,000 in CI, 1,000,000 by `make crash`): the first look gives all their
UIDs, and after that whoever opens, delivers, reads or deletes pays nothing for those that are there."""
import os
import pathlib
import poplib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, Checks  # noqa: E402

POSTERN = str(BUILD / "postern")
COUNT = int(os.environ.get("MILLION", "20000"))
DATA = b"Subject: one of many\r\n\r\nbody\r\n"
OPEN_BYTES = 8 << 20  # of a process with the mailbox open, beside one with an empty mailbox: pages it touched
checks = Checks()


def fill(box):
    for sub in ("new", "tmp", "cur"):
        (box / sub).mkdir(parents=True)
    where = os.open(box / "cur", os.O_RDONLY | os.O_DIRECTORY)
    for i in range(COUNT):
        fd = os.open(f"{1600000000 + i}.M{i}P1.many,S={len(DATA)},W={len(DATA)}:2,S", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=where)
        os.write(fd, DATA)
        os.close(fd)
    os.close(where)


def run(*arguments, **more):
    """(output, octets of memory at most)"""
    with subprocess.Popen([POSTERN, *arguments], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as child:
        child.stdin.write(more.get("input", b""))
        child.stdin.close()
        out = child.stdout.read().decode()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    checks.check(f"{' '.join(arguments[:2])}: done", child.returncode == 0, out[-300:])
    return out, usage.ru_maxrss * 1024


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-million-"))
    try:
        fill(work / "many")
        out, _ = run("mailbox", "status", "many", "--mail", str(work))
        checks.check("all are there", f"{COUNT} messages" in out, out)
        run("put", "few", "--mail", str(work), input=DATA)
        _, few = run("put", "few", "--mail", str(work), input=DATA)
        for i in range(1, 4):
            _, many = run("put", "many", "--mail", str(work), input=DATA)
            checks.check("a delivery costs no memory for those that are there", many < few + OPEN_BYTES, f"{few} {many}")
        out, _ = run("mailbox", "status", "many", "--mail", str(work))
        checks.check("three more", f"{COUNT + 3} messages" in out, out)
        pop3(work)
        out, _ = run("fsck", "many", "--mail", str(work))
        checks.check("nothing is wrong", not re.search(r"missing|without|damaged", out), out[-300:])
    finally:
        shutil.rmtree(work)
    checks.finish()


def pop3(work):
    users = work / "users"
    subprocess.run([POSTERN, "user", "add", "many", "--users", str(users)], input=b"secret\n", check=True,
                   stdout=subprocess.DEVNULL)
    serve = subprocess.Popen([POSTERN, "serve", str(work), "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--imap-listen", "", "--imap-listen-tls", "", "--plaintext",
                              "always", "--users", str(users)], stderr=subprocess.PIPE, text=True)
    try:
        for line in serve.stderr:
            if found := re.search(r"listening .*address=\"?127\.0\.0\.1:(\d+)\"? .*protocol=pop3\b", line):
                break
        client = poplib.POP3("127.0.0.1", int(found[1]), timeout=120)
        client.user("many")
        client.pass_("secret")
        checks.check("STAT", client.stat()[0] == COUNT + 3, client.stat())
        checks.check("the last", b"body" in client.retr(COUNT + 3)[1])
        client.dele(COUNT // 2)
        client.quit()
        client = poplib.POP3("127.0.0.1", int(found[1]), timeout=120)
        client.user("many")
        client.pass_("secret")
        checks.check("one less", client.stat()[0] == COUNT + 2, client.stat())
        client.quit()
    finally:
        serve.terminate()
        serve.wait(30)


main()
