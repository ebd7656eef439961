#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""full - a real disk that is full: reading, logging in and deleting go on, a delivery fails for now and leaves
nothing behind, and when there is room again all goes on. Needs root and loop devices; else nothing is tested."""
import os
import pathlib
import poplib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, POSTERN, Checks, Server  # noqa: E402

VICTIM = str(BUILD / "tests/crash-store_victim")
checks = Checks()


def sh(*command):
    return subprocess.run([str(each) for each in command], check=True, capture_output=True, text=True)


def postern(*arguments, **more):
    return subprocess.run([POSTERN, *map(str, arguments)], capture_output=True, timeout=60, **more)


def fill(folder):
    """Until not one octet more fits."""
    for size in (1 << 20, 4096, 512, 1):
        with open(folder / f"filler{size}", "wb", buffering=0) as out:
            try:
                while out.write(b"x" * size) == size:
                    pass
            except OSError:
                pass
    os.sync()


def listing(mail):
    out = subprocess.run([VICTIM, "list", "maildir", str(mail), "alice"], capture_output=True, text=True, timeout=60)
    return [line for line in out.stdout.splitlines() if line and not line.startswith("box")] if out.returncode == 0 else None


def on_a_full_disk(folder):
    mail = folder / "mail"
    message = b"Subject: x\r\n\r\n" + b"a line of the message\r\n" * 100
    for _ in range(30):
        checks.check("delivered while there is room", postern("put", "alice", "--mail", mail, input=message).returncode == 0)
    before = listing(mail)
    checks.check("thirty are there", before is not None and len(before) == 30, before)
    fill(folder)
    out = postern("put", "alice", "--mail", mail, input=message)
    checks.check("a delivery fails for now", out.returncode == 75, out)
    checks.check("reading goes on", listing(mail) == before)
    checks.check("and nothing is left in tmp", not list((mail / "alice/tmp").iterdir()))
    server = Server(settings=[f'mail = "{mail}"'])
    try:
        client = poplib.POP3("127.0.0.1", server.plain, timeout=60)
        client.user("alice")
        client.pass_("secret")
        checks.check("so does logging in", client.stat()[0] == 30)
        checks.check("and fetching", len(client.retr(1)[1]) == 102)
        for number in range(1, 11):
            client.dele(number)
        checks.check("deleting goes on", client.quit().startswith(b"+OK"))
    finally:
        server.stop()
    checks.check("they are gone", listing(mail) == before[10:])
    out = subprocess.run([VICTIM, "expunge", "maildir", str(mail), "alice"], capture_output=True, text=True, timeout=60)
    checks.check("a second set, too", out.stdout == "done\n", out)
    for path in folder.glob("filler*"):
        path.unlink()
    checks.check("with room again mail comes in", postern("put", "alice", "--mail", mail, input=message).returncode == 0)
    checks.check("fsck: all is well", postern("fsck", "--mail", mail).returncode == 0)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-full-"))
    try:
        sh("truncate", "-s", "24M", folder / "image")
        sh("mkfs.ext4", "-q", "-m", "0", folder / "image")
        (folder / "disk").mkdir()
        sh("mount", "-o", "loop", folder / "image", folder / "disk")
    except (subprocess.CalledProcessError, FileNotFoundError, PermissionError) as error:
        checks.skip(f"no loop devices here: {error}", 1)
        shutil.rmtree(folder, ignore_errors=True)
        checks.finish()
        return
    try:
        on_a_full_disk(folder / "disk")
    finally:
        subprocess.run(["umount", str(folder / "disk")], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


main()
