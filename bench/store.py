#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""store - the store against tuned Dovecot on the same mail in one run: listing a large mailbox over POP3, warm and
after both have lost their index; durable delivery of 4 KiB messages. CPU time of all processes of a server;
for deliveries by `postern put --stream` that of the commands. Results: build/bench/store.md."""
import os
import pathlib
import pwd
import resource
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import run as bench  # noqa: E402

SIZES = (1000, 3000) if bench.QUICK else (10000, 100000)
DELIVERIES = 400 if bench.QUICK else 3000
WARM, COLD = 20, 3
MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: bench\r\n\r\n" + b"x" * 70 + b"\r\n"
MESSAGE += (b"the quick brown fox jumps over the lazy dog and runs away from it all\r\n" * 60)[:4096 - len(MESSAGE)]


def session(server, user, count):
    """CPU microseconds of a session that lists all."""
    before = bench.cpu_seconds(server.process.pid)
    subprocess.run([bench.LOAD, "list", str(server.plain), user, "bench", str(count), "threads=1"], check=True,
                   stdout=subprocess.DEVNULL)
    return (bench.cpu_seconds(server.process.pid) - before) / count * 1e6


def forget(mail, user):
    shutil.rmtree(mail / user / "postern", ignore_errors=True)
    for path in (mail / user).glob("dovecot*"):
        path.unlink()


def lists(server, mail):
    rows = {}
    for size in SIZES:
        user = f"list{size}"
        cold = []
        for _ in range(COLD):
            forget(mail, user)
            time.sleep(0.2)
            cold.append(session(server, user, 1))
        rows[f"UIDL and LIST of {size:,}, index lost"] = min(cold)
        time.sleep(3)  # change times are believed after two seconds
        session(server, user, 2)
        rows[f"UIDL and LIST of {size:,}, warm"] = session(server, user, WARM)
    return rows


def postern_deliveries(work, writers):
    """Messages per second and CPU microseconds of each."""
    mail = work / f"put{writers}"
    each = DELIVERIES // writers
    stream = b"%d\n%s" % (len(MESSAGE), MESSAGE) * each
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    started = [subprocess.Popen([bench.BUILD / "postern", "put", f"w{i}", "--stream", "--mail", mail], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL) for i in range(writers)]
    feeders = [threading.Thread(target=one.communicate, args=(stream,)) for one in started]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join()
    if any(one.returncode for one in started):
        sys.exit("store: a delivery failed")
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"per_s": each * writers / took, "cpu_us": used / (each * writers) * 1e6}


class Lmtp:
    """One connection; smtplib's LMTP with many messages."""

    def __init__(self, port, user, count):
        self.client, self.user, self.count = smtplib.LMTP("127.0.0.1", port), user, count

    def run(self):
        for _ in range(self.count):
            self.client.sendmail("a@example.org", [self.user], MESSAGE)
        self.client.quit()


def dovecot_deliveries(server, port, writers):
    each = DELIVERIES // writers
    clients = [Lmtp(port, f"w{writers}x{i}", each) for i in range(writers)]
    before, began = bench.cpu_seconds(server.process.pid), time.monotonic()
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    used = bench.cpu_seconds(server.process.pid) - before
    return {"per_s": each * writers / took, "cpu_us": used / (each * writers) * 1e6}


def add_lmtp(work):
    """LMTP to the configuration that run.py writes."""
    port = bench.free_port()
    start = bench.start_dovecot
    config = work / "dovecot.conf"
    wrapped = subprocess.Popen

    def popen(command, **more):
        if command[0] == "dovecot":
            text = config.read_text().replace("protocols = pop3", "protocols = pop3 lmtp")
            config.write_text(text + f"service lmtp {{\n  process_min_avail = 8\n  service_count = 0\n  inet_listener lmtp {{\n"
                              f"    address = 127.0.0.1\n    port = {port}\n  }}\n}}\nmail_fsync = optimized\n")
        return wrapped(command, **more)
    bench.subprocess.Popen = popen
    try:
        server = start(work, work / "mail")
    finally:
        bench.subprocess.Popen = wrapped
    bench.wait_port(port)
    return server, port


def table(rows):
    lines = [f"Machine: {bench.machine()}. {time.strftime('%Y-%m-%d')}. {rows['versions'][0]} and {rows['versions'][1]} (tuned), "
             "same mail, same run.", "", "| operation | Postern, CPU us | Dovecot, CPU us | ratio | bar |",
             "| --- | --: | --: | --: | --: |"]
    for name, ours in rows["postern"].items():
        theirs = rows["dovecot"][name]
        bar = "1/4" if "lost" in name else "1/15"
        lines.append(f"| {name} | {ours:.0f} | {theirs:.0f} | 1/{theirs / max(ours, 1):.1f} | {bar} |")
    for writers in (1, 8):
        ours, theirs = rows["postern_put"][writers], rows["dovecot_lmtp"][writers]
        lines.append(f"| durable delivery of 4 KiB, {writers} writer{'s' * (writers > 1)} | {ours['cpu_us']:.0f} | {theirs['cpu_us']:.0f} | "
                     f"1/{theirs['cpu_us'] / ours['cpu_us']:.1f} | 1/5 |")
    lines += ["", "| durable deliveries per second | Postern | Dovecot LMTP | ratio | bar |", "| --- | --: | --: | --: | --: |"]
    for writers in (1, 8):
        ours, theirs = rows["postern_put"][writers], rows["dovecot_lmtp"][writers]
        lines.append(f"| {writers} writer{'s' * (writers > 1)} | {ours['per_s']:.0f} | {theirs['per_s']:.0f} | "
                     f"{ours['per_s'] / theirs['per_s']:.1f} | 2 |")
    return "\n".join(lines) + "\n"


def main():
    if os.geteuid() != 0:
        sys.exit("store: Dovecot starts as root only, and it must read the same mail: run this as root")
    bench.OUT.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-", dir=bench.OUT))
    os.chmod(work, 0o755)
    owner = pwd.getpwnam(bench.MAIL_USER)
    bench.MAILBOXES = tuple((f"list{size}", 1, size, 2048) for size in SIZES)
    rows = {}
    try:
        for size in SIZES:
            bench.make_maildir(work / "mail" / f"list{size}", size, 600, owner.pw_uid, owner.pw_gid)
        bench.certificate(work)
        server = bench.start_postern(work)
        users = work / "users"
        users.write_text(users.read_text().replace("0:", ":"))  # one user each, without a number
        server.process.send_signal(1)
        time.sleep(1)
        rows["postern"], version = lists(server, work / "mail"), server.version
        server.stop()
        rows["postern_put"] = {writers: postern_deliveries(work, writers) for writers in (1, 8)}
        server, port = add_lmtp(work)
        rows["dovecot"] = lists(server, work / "mail")
        rows["dovecot_lmtp"] = {writers: dovecot_deliveries(server, port, writers) for writers in (1, 8)}
        rows["versions"] = version, server.version
        server.stop()
        text = table(rows)
        (bench.OUT / "store.md").write_text(text)
        print(text)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
