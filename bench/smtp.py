#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""smtp - taking mail: Postern by SMTP and by LMTP, Postfix into Maildirs (virtual), Dovecot by LMTP, on the same messages in
one run: 4 KiB, one recipient, durable, 8 connections. CPU time of the whole process tree per message, until all of them are
in a Maildir, and messages per second. Then what a waiting session of Postern's costs in memory, and the engine alone, in
messages a second of one core.
Results: build/bench/smtp.md."""
import json
import os
import pathlib
import pwd
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/interop"))
os.environ.setdefault("BUILD", str(pathlib.Path(__file__).resolve().parent.parent / "build/release"))
from mtas import MASTER  # noqa: E402
from run import BUILD, OUT, QUICK, cpu_seconds, free_port, memory_kib, wait_port  # noqa: E402

COUNT, CLIENTS, IDLE = (800 if QUICK else 8000), 8, (200 if QUICK else 10000)
DOMAIN = "example.org"


def delivered(mail):
    return sum(len(os.listdir(box / sub)) for box in mail.glob("u*") for sub in ("new", "cur") if (box / sub).is_dir())


def measure(pid, how, port, mail):
    """CPU microseconds and messages a second, until all are delivered."""
    command = [str(BUILD / "bench/bench-send"), how, str(port)]
    send(command, COUNT // 10)
    wait_for(mail, COUNT // 10)
    before, began = cpu_seconds(pid), time.monotonic()
    send(command, COUNT)
    wait_for(mail, COUNT // 10 + COUNT)
    seconds = time.monotonic() - began
    return {"cpu_us": (cpu_seconds(pid) - before) / COUNT * 1e6, "per_s": COUNT / seconds}


def send(command, count):
    taken = int(subprocess.run([*command, str(count), str(CLIENTS)], check=True, capture_output=True, text=True).stdout.split()[0])
    if taken != count:
        sys.exit(f"{command}: {taken} of {count} were taken")


def wait_for(mail, count):
    until = time.monotonic() + 60
    while delivered(mail) < count:
        if time.monotonic() > until:
            sys.exit(f"{mail}: {delivered(mail)} of {count} arrived")
        time.sleep(0.05)


def idle(pid, _, port, __):
    """KiB of each of many sessions that have said EHLO."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    before, sessions = memory_kib(pid), []
    for _ in range(IDLE):
        sock = socket.create_connection(("127.0.0.1", port), 60)
        sock.recv(200)
        sock.sendall(b"EHLO x\r\n")
        sessions.append(sock)
    for sock in sessions:
        sock.recv(4096)
    time.sleep(1)
    kib = (memory_kib(pid) - before) / IDLE
    for sock in sessions:
        sock.close()
    return kib


def postern(work, how, what=measure):
    smtp, lmtp = free_port(), free_port()
    mail = work / f"postern-{how}"
    (work / "users").write_text("".join(f"u{i}:x\n" for i in range(CLIENTS)))
    (work / "postern.conf").write_text(f"""config_version = 1
listen = {{}}
listen_tls = {{}}
imap_listen = {{}}
imap_listen_tls = {{}}
smtp_listen = {{"127.0.0.1:{smtp}"}}
submission_listen = {{}}
submission_listen_tls = {{}}
lmtp_listen = {{"127.0.0.1:{lmtp}"}}
domains = {{"{DOMAIN}"}}
mail = "{mail}"
users = "{work}/users"
log = "{work}/postern.log"
log_level = "error"
connections_per_address = 0
""")
    process = subprocess.Popen([str(BUILD / "postern"), "serve", "--config", str(work / "postern.conf")], stderr=subprocess.DEVNULL)
    try:
        wait_port(smtp)
        return what(process.pid, how, smtp if how == "smtp" else lmtp, mail)
    finally:
        process.terminate()
        process.wait(30)


def postfix(work):
    port, mail, etc = free_port(), work / "postfix-mail", work / "postfix"
    user = pwd.getpwnam("mail")
    for folder in (mail, etc, work / "queue", work / "data"):
        folder.mkdir()
    os.chown(mail, user.pw_uid, user.pw_gid)
    shutil.chown(work / "data", "postfix")
    (etc / "boxes").write_text("".join(f"u{i}@{DOMAIN} u{i}/\n" for i in range(CLIENTS)))
    (etc / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {work}/queue
data_directory = {work}/data
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_base = {mail}
virtual_mailbox_maps = texthash:{etc}/boxes
virtual_uid_maps = static:{user.pw_uid}
virtual_gid_maps = static:{user.pw_gid}
virtual_minimum_uid = 1
alias_maps =
mynetworks = 127.0.0.0/8
maillog_file = {work}/postfix.log
maillog_file_prefixes = {work}
smtpd_client_connection_rate_limit = 0
""")
    (etc / "master.cf").write_text(MASTER.format(port=port) + "virtual unix - n n - - virtual\n")
    subprocess.run(["postfix", "-c", str(etc), "start"], check=True, capture_output=True)
    try:
        wait_port(port)
        return measure(int((work / "queue/pid/master.pid").read_text()), "smtp", port, mail)
    finally:
        subprocess.run(["postfix", "-c", str(etc), "stop"], capture_output=True)


def dovecot(work):
    port, mail = free_port(), work / "dovecot-mail"
    mail.mkdir()
    user = pwd.getpwnam("mail")
    os.chown(mail, user.pw_uid, user.pw_gid)
    (work / "dovecot.conf").write_text(f"""base_dir = {work}/dovecot
state_dir = {work}/dovecot-state
log_path = {work}/dovecot.log
protocols = lmtp
listen = 127.0.0.1
ssl = no
mail_location = maildir:{mail}/%n
auth_username_format = %n
passdb {{
  driver = static
  args = password=bench
}}
userdb {{
  driver = static
  args = uid={user.pw_uid} gid={user.pw_gid} home={mail}/%n allow_all_users=yes
}}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = dovecot
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
  process_min_avail = 2
}}
""")
    process = subprocess.Popen(["dovecot", "-F", "-c", str(work / "dovecot.conf")], stderr=subprocess.DEVNULL)
    try:
        wait_port(port)
        return measure(process.pid, "lmtp", port, mail)
    finally:
        process.terminate()
        process.wait(30)


def engine():
    """The engine alone, which parses and discards: messages a second of one core."""
    out = subprocess.run([str(BUILD / "bench/bench-smtp"), str(COUNT * 10)], check=True, capture_output=True, text=True)
    return float(out.stdout)


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-"))
    work.chmod(0o755)
    try:
        results = {"postern smtp": postern(work, "smtp"), "postern lmtp": postern(work, "lmtp"), "postfix": postfix(work),
                   "dovecot lmtp": dovecot(work)}
        kib = postern(work, "smtp", idle)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    alone = engine()
    best_cpu = min(results[name]["cpu_us"] for name in ("postfix", "dovecot lmtp"))
    best_rate = max(results[name]["per_s"] for name in ("postfix", "dovecot lmtp"))
    lines = ["| 4 KiB, durable, 8 connections | CPU us per message | messages/s | CPU against the better peer | rate |",
             "| --- | --- | --- | --- | --- |"]
    lines += [f"| {name} | {one['cpu_us']:.0f} | {one['per_s']:.0f} | 1/{best_cpu / one['cpu_us']:.1f} | {one['per_s'] / best_rate:.1f}x |"
              for name, one in results.items()]
    lines.append(f"\n{IDLE} sessions that wait: {kib:.1f} KiB each.")
    lines.append(f"\nThe engine alone: {alone:.0f} messages of 4 KiB a second.")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "smtp.md").write_text("\n".join(lines) + "\n")
    (OUT / "smtp.json").write_text(json.dumps({**results, "engine": alone}, indent=1))
    print("\n".join(lines))


main()
