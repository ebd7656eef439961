#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""crash - 200 of 300 messages are deleted as one set, and at every step of that the process is killed or the
call fails. Whatever happens, the mailbox then holds all 300 or the other 100, and what was answered is
true: after "deleted" the 100, after an error the 300. First through the store's own functions, then
through the server, with a QUIT over the wire."""
import os
import pathlib
import poplib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, POSTERN, Checks  # noqa: E402

VICTIM = str(BUILD / "tests/crash-expunge_victim")
PRELOAD = str(BUILD / "tests/crash-preload_fail.so")
MESSAGES, USER = 300, "alice"
KINDS = ("kill", "ENOSPC", "EIO", "EINTR", "short", "short+kill", "fsync", "fsyncs", "dead")
checks = Checks()


def template(kind, folder):
    """A mailbox of 300 messages; copies of it share the files by hard links."""
    box = folder / "template"
    for sub in ("cur", "new", "tmp") if kind == "maildir" else (".",):
        (box / sub).mkdir(parents=True, exist_ok=True)
    for i in range(MESSAGES):
        data = f"Subject: {i}\r\n\r\n{'x' * (i % 70)}\r\n".encode()
        name = f"{1700000000 + i}.M{i}.crash" if kind == "maildir" else f"{i:04}.eml"
        (box / (("new", "cur")[i % 2] if kind == "maildir" else ".") / (name + ":2,S" * (kind == "maildir" and i % 2))).write_bytes(data)
    return box


def fresh(folder, source="template"):
    box = folder / "mail" / USER
    shutil.rmtree(box, ignore_errors=True)
    shutil.copytree(folder / source, box, copy_function=os.link)
    return folder / "mail"


def failing(how, at, **more):
    return dict(os.environ, LD_PRELOAD=PRELOAD, FAIL_HOW=how, FAIL_AT=str(at),
                ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0", **more)


def victim(command, kind, mail, how, at, **more):
    return subprocess.run([VICTIM, command, kind, str(mail), USER], env=failing(how, at, **more), capture_output=True,
                          text=True, timeout=60)


def listing(kind, mail):
    out = subprocess.run([VICTIM, "list", kind, str(mail), USER], capture_output=True, text=True, timeout=60)
    return out.stdout.splitlines() if out.returncode == 0 else ["unreadable: " + out.stdout + out.stderr]


def judge(what, kind, mail, whole, answer):
    """answer: deleted, error, or died."""
    rest = whole[2::3]
    left = listing(kind, mail)
    state = {tuple(whole): "all", tuple(rest): "rest"}.get(tuple(left), f"{len(left)} of them")
    allowed = {"deleted": ("rest",), "error": ("all",), "died": ("all", "rest")}[answer]
    checks.check(f"{what}: {answer}", state in allowed, state)
    if kind == "maildir":
        journal = [path.name for path in (mail / USER / "tmp").iterdir() if "expunge" in path.name]
        checks.check(f"{what}: no journal left", journal in ([], [".postern.expunge.new"]), journal)


def steps_of(count):
    """Every step at the beginning and the end; in the long stretch of unlinking, some."""
    return [n for n in range(1, count + 2) if n <= 20 or n > count - 30 or n % 23 == 0]


def sweep(kind, folder):
    mail = fresh(folder)
    whole = listing(kind, mail)
    checks.check(f"{kind}: 300 to begin with", len(whole) == MESSAGES, whole[:1])
    done = victim("expunge", kind, mail, "none", 1000000, FAIL_COUNT=str(folder / "count"))
    checks.check(f"{kind}: deleted when nothing fails", done.stdout == "deleted\n", done.stdout + done.stderr)
    count, durable = map(int, (folder / "count").read_text().split())
    checks.check(f"{kind}: steps were counted", 200 < count and 0 < durable < 20, (count, durable))
    for how in KINDS:
        for at in steps_of(count):
            mail = fresh(folder)
            out = victim("expunge", kind, mail, how, at)
            answer = ("died" if out.returncode == -signal.SIGKILL else
                      "deleted" if out.stdout == "deleted\n" else "error" if out.stdout.startswith("error ") else "?")
            if how in ("fsync", "fsyncs") and at <= durable:
                checks.check(f"{kind} {how} at {at}: not answered as deleted", answer == "error", answer)
            if answer == "?":
                checks.check(f"{kind} {how} at {at}: an answer", False, out.stdout + out.stderr)
            else:
                judge(f"{kind} {how} at {at}", kind, mail, whole, answer)
    return count


def recovery_sweep(kind, folder, count):
    """Killed in the middle of the deletion; then the recovery is killed, too, or its calls fail."""
    mail = fresh(folder)
    whole = listing(kind, mail)
    mail = fresh(folder)
    victim("expunge", kind, mail, "kill", count // 2)
    left = len([path for path in (mail / USER).rglob("[0-9]*") if path.is_file()])
    checks.check(f"{kind}: half is deleted before the recovery", 100 < left < 300, left)
    shutil.rmtree(folder / "half", ignore_errors=True)
    shutil.copytree(mail / USER, folder / "half", copy_function=os.link)
    victim("recover", kind, fresh(folder, "half"), "none", 1000000, FAIL_COUNT=str(folder / "count"))
    steps = int((folder / "count").read_text().split()[0])
    for how in ("kill", "EIO", "fsyncs", "dead"):
        for at in [n for n in range(1, steps + 2) if n <= 24 or n % 29 == 0]:
            mail = fresh(folder, "half")
            victim("recover", kind, mail, how, at)
            judge(f"{kind} recovery, {how} at {at}", kind, mail, whole, "deleted")


class Serve:
    """`postern serve` that will fail; counting begins when the journal is made."""

    def __init__(self, kind, folder, how, at):
        (folder / "users").write_text(f"{USER}:{self.hashed}\n")
        command = [POSTERN, "serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--plaintext", "always",
                   "--users", str(folder / "users"), "--store", kind, "--mail", str(folder / "mail"),
                   "--connections-per-address", "0", "--ban-strikes", "0"]
        self.process = subprocess.Popen(command, env=failing(how, at, FAIL_MARK=".postern.expunge.new"),
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        for line in self.process.stderr:
            if match := re.search(r"listening .*address=\"?127\.0\.0\.1:(\d+)\"? .*protocol=pop3\b", line):
                self.port = int(match[1])
                return
        raise RuntimeError("the server does not come up")

    hashed = subprocess.run(["openssl", "passwd", "-1", "secret"], capture_output=True, text=True, check=True).stdout.strip()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()


def quit_over_the_wire(port, whole):
    client = poplib.POP3("127.0.0.1", port, timeout=60)
    client.user(USER)
    client.pass_("secret")
    for number in range(1, MESSAGES + 1):
        if number % 3:
            client.dele(number)
    try:
        client.quit()
        return "deleted"
    except poplib.error_proto as error:
        return "error" if isinstance(error.args[0], bytes) else "died"  # its own words are a str
    except OSError:
        return "died"


def serve_sweep(kind, folder):
    whole = listing(kind, fresh(folder))
    for how in ("kill", "EIO", "dead"):
        for at in (*range(1, 9), 100, *range(204, 214)):
            mail = fresh(folder)
            server = Serve(kind, folder, how, at)
            try:
                answer = quit_over_the_wire(server.port, whole)
            finally:
                server.stop()
            judge(f"serve {kind} {how} at {at}", kind, mail, whole, answer)


def main():
    began = time.monotonic()
    for kind in ("maildir", "eml"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-crash-"))
        try:
            template(kind, folder)
            count = sweep(kind, folder)
            recovery_sweep(kind, folder, count)
            serve_sweep(kind, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


main()
