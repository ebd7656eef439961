#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""power - the plug is pulled. Eight writers work in an ext4 image behind a loop device; the image lies on a
file system that can copy a file in an instant (XFS with reflinks), and such a copy, at any moment, is
what a disk would hold after a power cut. It is mounted, the account opened, and held against what the
writers had been answered: nothing acknowledged is missing, nothing deleted is back, sets are whole.

Then the same with three stores that cheat - no sync of folders, none of files, answers before the
work is done - each of which must be found out. POWER_CUTS: how many cuts (200). Needs root, loop
devices and XFS; where they are not to be had, nothing is tested, and that is said."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, Checks  # noqa: E402
from plug import Bench, possible  # noqa: E402

LOAD, VICTIM = str(BUILD / "tests/crash-store_load"), str(BUILD / "tests/crash-store_victim")
NOSYNC = str(BUILD / "tests/crash-preload_nosync.so")
CUTS = int(os.environ.get("POWER_CUTS", "200"))
checks = Checks()


class History:
    """What the writers were doing: each line with the order in which it was written."""

    def __init__(self, before, after):
        """before: the log when the cut began; after: when it was over."""
        acknowledged = {tuple(line.split()[1:3]) for line in before.splitlines() if line.startswith("A")}
        self.must, self.may, self.flags, self.sets = {}, set(), {}, []
        for line in after.splitlines():
            words = line.split()
            if words[0] != "B":
                continue
            done = tuple(words[1:3]) in acknowledged
            self.take(words[3], words[4:], done)

    def take(self, what, arguments, done):
        if what in ("append", "set"):
            for each in arguments:
                self.must[each] = done  # True: it must be there; False: it may
                self.flags[each] = {"0"}
            self.sets.append(arguments)
        elif what == "expunge":
            for each in arguments:
                if done:
                    self.must.pop(each, None)
                elif each in self.must:
                    self.must[each] = False
            self.sets.append(arguments)
        else:
            each, flags = arguments
            self.flags[each] = {flags} if done else self.flags.get(each, set()) | {flags}


def faults_of(history, listing):
    """What is wrong with a cut; nothing is the answer of a good store."""
    there, wrong = {}, []
    for line in listing.splitlines():
        if line and not line.startswith(("box", "error")):
            _, flags, _, checksum = line.split()
            if checksum in there:
                wrong.append(f"{checksum} is there twice")
            there[checksum] = flags
    if "error" in listing or "box INBOX" not in listing:
        wrong.append("the account does not open: " + listing[-200:])
    wrong += [f"{each} was acknowledged and is lost" for each, must in history.must.items() if must and each not in there]
    wrong += [f"{each} is there, and was deleted or never appended" for each in there if each not in history.must]
    wrong += [f"{each} has flags {flags}, not {history.flags[each]}" for each, flags in there.items()
              if each in history.flags and flags not in history.flags[each]]
    gone = set()
    for members in history.sets:
        left = [each for each in members if each in there]
        if left and len(left) != len(members) and not any(each in gone for each in members):
            # members that a later set deletes may be gone; they are no proof
            others = {each for other in history.sets if other is not members for each in other}
            if not any(each in others for each in members):
                wrong.append(f"half of a set is there: {members}")
        gone.update(each for each in members if each not in there)
    return wrong


@contextlib.contextmanager
def stopped(process):
    """The process stands still meanwhile."""
    process.send_signal(signal.SIGSTOP)
    while pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ":
        time.sleep(0.001)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def cut_once(bench, log, load):
    """load: who stands still for it; it cheats, and its next sync would make good what it leaves out."""
    with stopped(load) if load else contextlib.nullcontext():
        before = log.read_text()
        bench.snapshot()
        after = log.read_text()
    bench.mount_cut()
    try:
        listing = subprocess.run([VICTIM, "list", "maildir", str(bench.cut / "mail"), "alice"], capture_output=True, text=True,
                                 timeout=60)
    finally:
        bench.unmount_cut()
    last = after.rfind("\n")
    return faults_of(History(before, after[:last]), listing.stdout + listing.stderr)


def cuts(bench, count, until_fault=False, **environment):
    """Cut so often; the faults that were seen."""
    log, made = pathlib.Path("/dev/shm") / f"postern-power-{os.getpid()}", 0
    chance = random.Random(4711)
    while made < count:
        shutil.rmtree(bench.inner / "mail", ignore_errors=True)
        (bench.inner / "mail").mkdir()
        os.sync()
        log.unlink(missing_ok=True)
        load = subprocess.Popen([LOAD, str(bench.inner / "mail"), str(log), "15"], env=dict(os.environ, **environment))
        while not log.exists() or log.stat().st_size < 2000:
            time.sleep(0.02)
        while made < count and load.poll() is None:
            time.sleep(chance.uniform(0.005, 0.12))
            faults = cut_once(bench, log, load if until_fault else None)
            made += 1
            if not until_fault:
                checks.check(f"cut {made}", not faults, faults[:3])
            elif faults:
                load.kill()
                load.wait()
                log.unlink(missing_ok=True)
                return faults
        load.kill()
        load.wait()
    log.unlink(missing_ok=True)
    return []


def main():
    if not possible():
        checks.skip("no root, loop devices or XFS here", 1)
        checks.finish()
        return
    folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-power-"))
    try:
        bench = Bench(folder)
    except subprocess.CalledProcessError as error:
        checks.skip(f"no loop devices here: {error.stderr.strip()}", 1)
        checks.finish()
        return
    try:
        cuts(bench, CUTS)
        for name, environment in (("no sync of folders", {"LD_PRELOAD": NOSYNC, "NOSYNC": "dirs"}),
                                  ("no sync of files", {"LD_PRELOAD": NOSYNC, "NOSYNC": "files"}),
                                  ("answers before the work", {"LOAD_EARLY": "1"})):
            faults = cuts(bench, 400, until_fault=True, **environment)
            checks.check(f"{name}: found out", bool(faults))
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


main()
