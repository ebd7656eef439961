#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_postfix_pipe - Postfix delivers by a pipe to `postern deliver`, with the lines of docs/operating.md (T3): as a user that is not
root, details, bounces, full mailboxes, and mistakes of ours, for which mail waits."""
import os
import pwd
import re
import shutil
import smtplib
import subprocess
import time

import mtas
from harness import POSTERN, SOURCE, Checks, Server
from sent import EIGHT, HASH, SMALL, body

checks = Checks()
USER = "mail"


class Pipe(mtas.Postfix):
    """The entry of master.cf as the documents have it, with our paths and what else is wanted behind it."""

    def __init__(self, server_folder, program, more=""):
        super().__init__("pipe:postern\npostern_destination_recipient_limit = 1")
        documented = re.search(r"`(postern unix - n n - - pipe [^`]*)`", (SOURCE / "docs/operating.md").read_text())[1]
        entry = documented.replace("/usr/bin/postern deliver", f"{program} deliver -c {server_folder}/postern.conf {more}")
        self.services = entry.replace("user=mail", f"user={USER}") + "\n"


class Place:
    """Mail that belongs to USER, and a copy of the program that USER may run."""

    def __init__(self, *settings):
        self.folder = Server.make_folder()
        self.folder.chmod(0o755)
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        user = pwd.getpwnam(USER)
        os.chown(self.mail, user.pw_uid, user.pw_gid)
        shutil.copy(POSTERN, self.folder / "postern")
        (self.folder / "users").write_text(f"alice:{HASH}\nbob@example.org:{HASH}\n")
        (self.folder / "postern.conf").write_text("\n".join([f'mail = "{self.mail}"', f'users = "{self.folder}/users"',
                                                             'domains = {"example.org"}', *settings]) + "\n")
        for path in ("users", "postern.conf"):
            (self.folder / path).chmod(0o644)

    def found(self, user, mailbox=".", seconds=30, count=1):
        """What is there, which is taken away."""
        until, paths = time.monotonic() + seconds, []
        while len(paths) < count and time.monotonic() < until:
            paths = sorted((self.mail / user / mailbox / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
            time.sleep(0.1)
        texts = [path.read_bytes() for path in paths]
        for path in paths:
            path.unlink()
        return texts


def send(mta, recipients, message=SMALL, sender="ann@far.example"):
    with smtplib.SMTP("127.0.0.1", mta.port, timeout=60) as smtp:
        smtp.sendmail(sender, recipients, message)


def test_delivered():
    place = Place()
    with Pipe(place.folder, place.folder / "postern") as mta:
        if not mta.ready:
            checks.skip(f"Postfix cannot run here: {mta.why}")
            return
        for message in (SMALL, EIGHT):
            send(mta, ["alice@example.org", "Bob@EXAMPLE.org"], message)
            for user, address in (("alice", b"alice@example.org"), ("bob@example.org", b"Bob@EXAMPLE.org")):
                found = place.found(user)
                checks.check(f"delivered to {user}", len(found) == 1 and body(found[0]) == body(message), str(found) + mta.log()[-800:])
                head = found[0].split(b"\r\n\r\n")[0] if found else b""
                checks.check(f"{user}: its trace", head.startswith(b"Return-Path: <ann@far.example>\r\nDelivered-To: " + address + b"\r\n")
                             and head.count(b"Return-Path:") == 1 and head.count(b"Delivered-To:") == 1, repr(head))
        owner = pwd.getpwuid((place.mail / "alice" / "new").stat().st_uid)[0]
        checks.check("they are the user's", owner == USER, owner)
        large = SMALL + b"".join(b"%070d\r\n" % i for i in range(20 * 1024 * 1024 // 72))
        send(mta, ["alice@example.org"], large)
        found = place.found("alice", seconds=60)
        checks.check("20 MiB", len(found) == 1 and body(found[0]) == body(large), mta.log()[-500:])
        send(mta, ["alice+lists@example.org"])
        checks.check("a detail without a mailbox", len(place.found("alice")) == 1)
        made = subprocess.run(["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", place.folder / "postern", "mailbox", "create",
                               "alice", "lists", "--config", place.folder / "postern.conf"], capture_output=True, timeout=30)
        send(mta, ["Alice+Lists@example.org"])
        found = place.found("alice", ".lists")
        checks.check("a detail with one", len(found) == 1, str(made) + mta.log()[-500:])
        # a bounce comes with the empty sender, and says why
        send(mta, ["nobody@example.org"], sender="alice@example.org")
        found = place.found("alice")
        checks.check("nobody: a bounce", len(found) == 1 and found[0].startswith(b"Return-Path: <>\r\n") and
                     b"Status: 5.1.1" in found[0] and b"Delivered-To: alice@example.org\r\n" in found[0] and b"nobody@example.org" in found[0], str(found)[-1500:] + mta.log()[-800:])
        checks.check("nothing waits", "status=deferred" not in mta.log(), mta.log()[-800:])


def test_refused():
    place = Place("message_mb = 1", "quota_messages = 1")
    big = SMALL + b"x" * 70 + b"\r\n" * 2000000
    with Pipe(place.folder, place.folder / "postern") as mta:
        if not mta.ready:
            checks.skip(f"Postfix cannot run here: {mta.why}")
            return
        send(mta, ["alice@example.org"], big, "bob@example.org")
        found = place.found("bob@example.org")
        checks.check("too large: a bounce", len(found) == 1 and b"Status: 5.3.4" in found[0], str(found)[-1500:] + mta.log()[-800:])
        send(mta, ["alice@example.org"])
        checks.check("one fits", len(list((place.mail / "alice/new").glob("*"))) == 1 or len(place.found("alice")) == 1)
        (place.mail / "alice/new/1.filler").write_bytes(b"Subject: x\n\n")
        send(mta, ["alice@example.org"])
        checks.check("a full mailbox: it waits", mta.log_has("dsn=4.2.2, status=deferred (the mailbox is full"), mta.log()[-800:])
        for path in (place.mail / "alice/new").glob("*"):
            path.unlink()
        time.sleep(2.1)
        mta.flush()
        checks.check("and comes when there is room", len(place.found("alice")) == 1, mta.log()[-800:])
    with Pipe(place.folder, place.folder / "postern", "-e") as mta:
        for path in place.mail.glob("*/new/*"):
            path.unlink()
        time.sleep(2.1)
        send(mta, ["alice@example.org"], big, "bob@example.org")
        found = place.found("bob@example.org")
        checks.check("-e: a bounce with the reason", len(found) == 1 and b"5.3.4" in found[0], str(found)[-1500:] + mta.log()[-800:])


def test_mistakes():
    """Of ours: mail waits until they are mended."""
    for what, settings, more, mend in (
            ("a bad setting", ["nonsense = 1"], "", lambda place: (place.folder / "postern.conf").write_text(
                (place.folder / "postern.conf").read_text().replace("nonsense = 1\n", ""))),
            ("a folder that it may not write in", [], "", lambda place: shutil.chown(place.mail, USER))):
        place = Place(*settings)
        if not settings:
            os.chown(place.mail, 0, 0)
        with Pipe(place.folder, place.folder / "postern", more) as mta:
            if not mta.ready:
                checks.skip(f"Postfix cannot run here: {mta.why}")
                return
            send(mta, ["alice@example.org"], sender="bob@example.org")
            checks.check(f"{what}: it waits", mta.log_has("status=deferred") and "status=bounced" not in mta.log(), mta.log()[-800:])
            checks.check(f"{what}: the log says why", "dsn=4.3." in mta.log() and "dsn=4.3.0, status=deferred (temporary failure)" not in mta.log(), mta.log()[-800:])
            mend(place)
            mta.flush()
            checks.check(f"{what}: it comes", len(place.found("alice")) == 1, mta.log()[-800:])


if os.geteuid():
    checks.skip("Postfix wants to be root")
    checks.finish()
for function in (test_delivered, test_refused, test_mistakes):
    checks.run(function.__name__, function)
checks.finish()
