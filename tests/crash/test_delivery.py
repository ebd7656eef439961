#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""delivery - P1 P2: the server is killed (kill -9) while eight LMTP streams deliver, again and again. Each sender notes what was
answered with 250; all of that is there afterwards, whole, and once. What was not answered is there whole or not at all.
In every second round the server need not sync: being killed takes nothing then either (P6).
Then a disk that fills up in the middle of a message: 452, nothing is left behind, and what is smaller is taken."""
import os
import pathlib
import random
import signal
import smtplib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))
from harness import BUILD, POSTERN, Checks, Server  # noqa: E402
from streams import PEOPLE, SETTINGS, STREAMS, USERS, faults, message, seen, streams  # noqa: E402

ROUNDS = int(os.environ.get("DELIVERY_ROUNDS", "8"))
checks = Checks()


def killed():
    folder, number, kept = Server.make_folder(), 0, []
    for turn in range(ROUNDS):
        durability = ("full", "none")[turn % 2]
        server = Server(settings=[*SETTINGS, f'durability = "{durability}"'], users=(), users_text=USERS, folder=folder)
        warned = any("not-durable" in line for line in server.log)
        checks.check(f"round {turn}: it is said when mail is not durable", warned == (durability == "none"), server.log)
        senders = streams(server, number)
        number += STREAMS * 100000
        time.sleep(random.uniform(0.05, 0.8))
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        for sender in senders:
            sender.join(30)
            kept += sender.kept
        server = Server(settings=SETTINGS, users=(), users_text=USERS, folder=folder)
        for user in PEOPLE:
            shown = seen(server, f"u{user}")
            wrong, count = faults(server.mail, kept, user)
            checks.check(f"round {turn}, u{user}: what was acknowledged is there, once and whole", not wrong, str(wrong))
            checks.check(f"round {turn}, u{user}: a client is shown what is there", shown == count, f"{shown} {count}")
        server.process.send_signal(signal.SIGTERM)
        checks.check(f"round {turn}: the server ends well", server.process.wait(30) == 0)
    checks.check("many were acknowledged", len(kept) > ROUNDS * STREAMS, str(len(kept)))
    server.stop()


def synced():
    """P6: a disk whose syncs fail refuses mail, unless nobody asks it to sync."""
    folder = Server.make_folder()
    config, mail = folder / "sync.conf", folder / "mail"
    for durability, code in (("full", 74), ("none", 0), ("full", 74)):
        config.write_text(f'config_version = 1\nmail = "{mail}"\ndurability = "{durability}"\n')
        command = [POSTERN, "put", "ann", "--config", str(config)]
        for failing in ({}, {"LD_PRELOAD": str(BUILD / "tests/crash-preload_fail.so"), "FAIL_HOW": "fsyncs", "FAIL_AT": "1",
                             "FAIL_MARK": "postern.", "ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}):
            out = subprocess.run(command, input=message(1), capture_output=True, env={**os.environ, **failing})
            checks.check(f"{durability}, {len(failing)}: taken or not", out.returncode == (code if failing else 0), out)


def full():
    if os.geteuid():
        checks.skip("only root can mount a small disk")
        return
    with tempfile.TemporaryDirectory() as small:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True).returncode:
            checks.skip("no small disk can be mounted here")
            return
        server = None
        try:
            os.chmod(small, 0o755)
            server = Server(settings=[*SETTINGS, f'mail = "{small}/mail"'], users=(), users_text=USERS)
            with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
                smtp.sendmail("a@b.example", ["u0@example.org"], message(1))
                try:
                    smtp.sendmail("a@b.example", ["u0@example.org", "u1@example.org"], message(2) + b"x" * 76 + b"\r\n" * 4000000)
                    said = 250, b""
                except smtplib.SMTPResponseException as error:
                    said = error.smtp_code, error.smtp_error
                checks.check("a full disk: 452, and of the disk", said[0] == 452 and said[1].startswith(b"4.3.1 "), str(said))
                left = [path for path in pathlib.Path(small).rglob("tmp/*")]
                checks.check("a full disk: nothing is left behind", not left, str(left))
                smtp.sendmail("a@b.example", ["u0@example.org", "u1@example.org"], message(3))
            checks.check("a full disk: what is smaller is taken", [seen(server, "u0"), seen(server, "u1")] == [2, 1])
        finally:
            if server:
                server.stop()
            subprocess.run(["umount", small], check=False)


checks.run("killed", killed)
checks.run("synced", synced)
checks.run("full", full)
checks.finish()
