#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""delivery_power - P1: the plug is pulled while eight LMTP streams deliver. What the disk holds then is opened by another server:
all that had been answered with 250 is there, whole, and once, and a client is shown just that.

Then the same with a server whose syncs of files, or of folders, do nothing: each must be found out. DELIVERY_CUTS: how many
cuts (12). Needs what test_power.py needs."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, Checks, Server  # noqa: E402
from plug import Bench, possible  # noqa: E402
from streams import PEOPLE, SETTINGS, STREAMS, USERS, faults, seen, streams  # noqa: E402

NOSYNC = str(BUILD / "tests/crash-preload_nosync.so")
CUTS = int(os.environ.get("DELIVERY_CUTS", "12"))
SMALL, TURNS = 2000, 6  # octets of a message at most; cuts before the disk is emptied
checks = Checks()


def serve(mail):
    server = Server(settings=[*SETTINGS, f'mail = "{mail}"'], users=(), users_text=USERS)
    server.mail = mail
    return server


def faults_of(bench, kept):
    """What another server finds on the disk as it was."""
    bench.mount_cut()
    try:
        server = serve(bench.cut / "mail")
        wrong = []
        try:
            for user in PEOPLE:
                shown = seen(server, f"u{user}")
                found, count = faults(server.mail, kept, user)
                wrong += found + ([f"u{user}: {shown} of {count} are shown"] if shown != count else [])
        finally:
            server.stop()
        return wrong
    finally:
        bench.unmount_cut()


def pull(bench, turns, first, cheats):
    """One server, and its disk so often as it was at some moment; yields the faults. A server that cheats has one sender, who
    pauses for the cut: the syncs for others, and for the next message, would make good what it leaves out."""
    shutil.rmtree(bench.inner / "mail", ignore_errors=True)
    (bench.inner / "mail").mkdir()
    os.sync()
    server = serve(bench.inner / "mail")
    senders = streams(server, first, SMALL, 1 if cheats else STREAMS)
    try:
        for _ in range(turns):
            time.sleep(random.uniform(0.02, 0.5))
            if cheats:
                senders[0].hold()
            kept = [one for sender in senders for one in list(sender.kept)]
            bench.snapshot()
            senders[0].release()
            yield faults_of(bench, kept), len(kept)
    finally:
        server.process.kill()
        server.stop()


def cuts(bench, count, until_fault=False):
    made, acknowledged = 0, 0
    while made < count:
        for wrong, kept in pull(bench, min(TURNS, count - made), made * STREAMS * 100000, until_fault):
            made, acknowledged = made + 1, max(acknowledged, kept)
            if until_fault and wrong:
                return True
            if not until_fault:
                checks.check(f"cut {made}", not wrong, str(wrong))
    if not until_fault:
        checks.check("many were acknowledged", acknowledged > 100, str(acknowledged))
    return False


def cheat(bench, what):
    os.environ.update(LD_PRELOAD=NOSYNC, NOSYNC=what)
    try:
        checks.check(f"no sync of {what}: found out", cuts(bench, 50, until_fault=True))
    finally:
        del os.environ["LD_PRELOAD"], os.environ["NOSYNC"]


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-power-"))
    bench = None
    try:
        if possible():
            bench = Bench(folder)
    except subprocess.CalledProcessError:
        pass
    if not bench:
        checks.skip("no root, loop devices or XFS here", 1)
        checks.finish()
        return
    try:
        cuts(bench, CUTS)
        for what in ("dirs", "files"):
            cheat(bench, what)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


main()
