#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""crash - at every step of each operation of the store the process is killed, or the call fails. Whatever
happens, the account then is as it was before or as it is after, and what was answered is true: after
"done" it is as after, after an error as before. No UID names other octets, none falls back. First
through the store's own functions, then through the server, with a QUIT over the wire."""
import os
import pathlib
import poplib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, POSTERN, Checks  # noqa: E402

VICTIM = str(BUILD / "tests/crash-store_victim")
PRELOAD = str(BUILD / "tests/crash-preload_fail.so")
MESSAGES, USER = 12, "alice"
KINDS = ("kill", "ENOSPC", "EDQUOT", "EMFILE", "EIO", "EINTR", "short", "short+kill", "fsync", "fsyncs", "dead")
OPERATIONS = {"maildir": ("append", "append-set", "append-large", "replace", "flags", "expunge", "copy", "move",
                          "create", "remove", "rename", "annotate", "parse"),
              "eml": ("append", "append-set", "flags", "expunge")}
STEP = int(os.environ.get("CRASH_STEP", "7"))  # behind the first 25: each so many
checks = Checks()


def run(*arguments, **more):
    return subprocess.run([VICTIM, *arguments, USER], capture_output=True, text=True, timeout=60, **more)


def template(kind, folder, messages):
    """An account of some messages that others delivered, indexed, with an Archive."""
    box = folder / "template" / USER
    for sub in ("cur", "new", "tmp") if kind == "maildir" else (".",):
        (box / sub).mkdir(parents=True, exist_ok=True)
    for i in range(messages):
        data = f"Subject: {i}\r\n\r\n{'x' * (i % 70)}\r\n".encode()
        name = f"{1700000000 + i}.M{i}.crash" if kind == "maildir" else f"{i:04}.eml"
        where = ("new", "cur")[i % 2] if kind == "maildir" else "."
        (box / where / (name + ":2,S" * (kind == "maildir" and i % 2))).write_bytes(data)
        os.utime(box / where / (name + ":2,S" * (kind == "maildir" and i % 2)), (1700000000 + i, 1700000000 + i))
    if kind == "maildir":
        for sub in ("cur", "new", "tmp"):
            (box / ".Archive" / sub).mkdir(parents=True)
    run("list", kind, str(folder / "template"))
    return folder / "template"


def fresh(folder):
    mail = folder / "mail"
    shutil.rmtree(mail, ignore_errors=True)
    subprocess.run(["cp", "-a", str(folder / "template"), str(mail)], check=True)
    return mail


def failing(how, at, **more):
    return dict(os.environ, LD_PRELOAD=PRELOAD, FAIL_HOW=how, FAIL_AT=str(at),
                ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0", **more)


class Account:
    """What `list` shows: mailboxes with their messages, and who has which UID."""

    def __init__(self, kind, mail):
        out = run("list", kind, str(mail))
        self.text, self.good = out.stdout + out.stderr, out.returncode == 0
        self.boxes, self.uids, self.next, self.modseq = {}, {}, {}, {}
        for line in out.stdout.splitlines():
            if line.startswith("box "):
                _, name, validity, following, modseq = line.split()
                self.boxes[name], self.next[name, validity], self.modseq[name] = [], int(following), int(modseq)
            elif line and not line.startswith("error"):
                uid, flags, octets, checksum = line.split()
                self.boxes[name].append((flags, octets, checksum))
                self.uids[name, validity, uid] = (octets, checksum)
        self.state = {name: sorted(messages) for name, messages in self.boxes.items()}


def judge(what, kind, mail, before, after, answer, dead=False):
    now = Account(kind, mail)
    checks.check(f"{what}: the account opens", now.good, now.text[-300:])
    # the levels of a name are made one by one
    state = {name: all for name, all in now.state.items() if name != "New" or name in after.state and "New/Below" in now.state}
    is_before, is_after = state == before.state, state == after.state
    if dead and answer == "error":  # what could not be taken back is done, whole
        answer = "died"
    allowed = {"done": is_after, "error": is_before, "died": is_before or is_after}[answer]
    checks.check(f"{what}: {answer}", allowed, {name: len(all) for name, all in now.state.items()})
    for name in now.uids:
        if name in before.uids and name[0] != "Old":
            checks.check(f"{what}: {name} is what it was", now.uids[name] == before.uids[name])
    for name in before.next:
        if name in now.next:
            checks.check(f"{what}: {name} does not fall back", now.next[name] >= before.next[name])
    for name in before.modseq:
        if name in now.modseq:
            checks.check(f"{what}: the mod-sequence of {name} does not fall back", now.modseq[name] >= before.modseq[name])


def answer_of(out):
    if out.returncode == -signal.SIGKILL:
        return "died"
    return "done" if out.stdout == "done\n" else "error" if "error " in out.stdout else "?"


def sweep(kind, folder, operation):
    before = Account(kind, fresh(folder))
    checks.check(f"{kind}: all there to begin with", before.good and len(before.boxes["INBOX"]) == MESSAGES, before.text)
    mail = fresh(folder)
    out = run(operation, kind, str(mail), env=failing("none", 1000000, FAIL_COUNT=str(folder / "count")))
    checks.check(f"{kind} {operation}: done when nothing fails", answer_of(out) == "done", out.stdout + out.stderr)
    after = Account(kind, mail)
    checks.check(f"{kind} {operation}: changes something", after.good and (after.state != before.state or operation == "parse"))
    count = int((folder / "count").read_text().split()[0])
    checks.check(f"{kind} {operation}: steps were counted", count > 3, count)
    for how in KINDS:
        for at in [n for n in range(1, count + 2) if n <= 25 or n % STEP == 0]:
            mail = fresh(folder)
            out = run(operation, kind, str(mail), env=failing(how, at))
            answer = answer_of(out)
            what = f"{kind} {operation}, {how} at {at}"
            if answer == "?":
                checks.check(f"{what}: an answer", False, out.stdout + out.stderr)
            else:
                judge(what, kind, mail, before, after, answer, how == "dead")


def look_sweep(kind, folder):
    """The index is lost, and the looking that makes it anew is hit: then killed in the midst of a deletion."""
    before = Account(kind, fresh(folder))
    index = "postern" if kind == "maildir" else ".postern"
    mail = fresh(folder)
    shutil.rmtree(mail / USER / index)
    run("look", kind, str(mail), env=failing("none", 1000000, FAIL_COUNT=str(folder / "count")))
    count = int((folder / "count").read_text().split()[0])
    for how in KINDS:
        for at in [n for n in range(1, count + 2) if n <= 25 or n % STEP == 0]:
            mail = fresh(folder)
            shutil.rmtree(mail / USER / index)
            run("look", kind, str(mail), env=failing(how, at))
            now = Account(kind, mail)
            checks.check(f"{kind} look, {how} at {at}: all are there", now.good and now.state == before.state,
                         now.text[-300:])


class Serve:
    """`postern serve` that will fail; counting begins with the first change of the index."""

    def __init__(self, kind, folder, how, at):
        (folder / "users").write_text(f"{USER}:{self.hashed}\n")
        command = [POSTERN, "serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--imap-listen", "", "--imap-listen-tls", "", "--plaintext", "always",
                   "--users", str(folder / "users"), "--store", kind, "--mail", str(folder / "mail"),
                   "--connections-per-address", "0", "--ban-strikes", "0"]
        self.process = subprocess.Popen(command, env=failing(how, at, FAIL_MARK="lock"), stderr=subprocess.PIPE, text=True,
                                        errors="replace")
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


def quit_over_the_wire(port):
    try:
        client = poplib.POP3("127.0.0.1", port, timeout=60)
        client.user(USER)
        client.pass_("secret")
        for number in range(1, MESSAGES + 1):
            if number % 3:
                client.dele(number)
        client.quit()
        return "done"
    except poplib.error_proto as error:
        return "error" if isinstance(error.args[0], bytes) else "died"  # its own words are a str
    except OSError:
        return "died"


def serve_sweep(kind, folder):
    before = Account(kind, fresh(folder))
    mail = fresh(folder)
    run("expunge", kind, str(mail))
    after = Account(kind, mail)
    for how in ("kill", "EIO", "dead"):
        for at in range(1, 22):
            mail = fresh(folder)
            server = Serve(kind, folder, how, at)
            try:
                answer = quit_over_the_wire(server.port)
            finally:
                server.stop()
            judge(f"serve {kind} {how} at {at}", kind, mail, before, after, answer, how == "dead")


def main():
    for kind in ("maildir", "eml"):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-crash-"))
        try:
            template(kind, folder, MESSAGES)
            for operation in OPERATIONS[kind]:
                sweep(kind, folder, operation)
            look_sweep(kind, folder)
            serve_sweep(kind, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


main()
