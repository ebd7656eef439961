#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run - Postern and Dovecot (tuned) on the same mail, one after the other in one run.

What is compared is CPU time of the server's whole process tree per operation, read from /proc, so
that another load on the machine disturbs little. Neither side hashes passwords while measured
(Dovecot: a plain static password; Postern: its cache of successes). Results: build/bench/results.md,
results.json and results.svg."""
import json
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("BUILD", ROOT / "build/release"))
OUT = ROOT / "build/bench"
TICK = os.sysconf("SC_CLK_TCK")
MAIL_USER = "mail"  # owner of the mail while Dovecot reads it
LOAD = str(BUILD / "bench/bench-load")
QUICK = os.environ.get("QUICK") == "1"
IDLE = 500 if QUICK else 5000
IDLE_DOVECOT = 200
THREADS = 4   # clients that read mailboxes
CLIENTS = 16  # clients that log in, again and again
# a mailbox of its own for every client, since POP3 locks it: (user, how many, messages, octets of each)
MAILBOXES = (("small", CLIENTS, 10, 2048), ("large", THREADS, 10000, 2048), ("retr", THREADS, 200, 16384), ("big", THREADS, 100, 131072),
             ("idle", IDLE, 2, 1024))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {port}")


def tree(pid):
    """pid and all its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path(f"/proc/{entry}/stat").read_text()
                parents.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry))
            except OSError:
                pass
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += parents.get(one, [])
    return found


def cpu_seconds(pid):
    total = 0
    for one in tree(pid):
        try:
            fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(fields[i]) for i in (11, 12, 13, 14))
        except OSError:
            pass
    return total / TICK


def memory_kib(pid):
    """Proportional set size of the tree, so that shared pages count once."""
    total = 0
    for one in tree(pid):
        try:
            for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except OSError:
            pass
    return total


def make_maildir(folder, count, size, uid, gid):
    rng = random.Random(count)
    line = "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=68)).strip() + "x"
    for sub in ("cur", "new", "tmp"):
        (folder / sub).mkdir(parents=True)
    for i in range(count):
        body = [f"From: a{i}@example.org", "To: bench@example.org", f"Subject: message {i}",
                f"Message-ID: <{i}@example.org>", ""]
        while sum(map(len, body)) + 2 * len(body) < size:
            body.append(line)
        data = "".join(line + "\r\n" for line in body).encode()
        name = f"{1600000000 + i}.M{i}P1.bench,S={len(data)},W={len(data)}:2,S"
        (folder / "cur" / name).write_bytes(data)
    for path in [folder.parent, folder, *folder.rglob("*")]:
        os.chown(path, uid, gid)


class Server:
    """A running server; ports plain and TLS."""

    def __init__(self, name, command, plain, tls, version):
        self.name, self.plain, self.tls, self.version = name, plain, tls, version
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_port(plain)
        wait_port(tls)

    def measure(self, mode, user, count, threads, tls=False):
        """CPU microseconds and operations per second of the load."""
        port = self.tls if tls else self.plain
        command = [LOAD, mode, str(port), user, "bench", str(count), f"threads={threads}"]
        if tls:
            command.append("tls")
        warm = command.copy()
        warm[5] = str(max(threads, count // 20))
        subprocess.run(warm, check=True, stdout=subprocess.DEVNULL)
        before = cpu_seconds(self.process.pid)
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        used = cpu_seconds(self.process.pid) - before
        operations, seconds = int(out[0]), float(out[1])
        return {"cpu_us": used / operations * 1e6, "per_s": operations / seconds}

    def idle(self, user, count, tls=False):
        """KiB of memory per held, logged-in connection."""
        before = memory_kib(self.process.pid)
        port = self.tls if tls else self.plain
        command = [LOAD, "idle", str(port), user, "bench", str(count)] + (["tls"] if tls else [])
        load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if load.stdout.readline().strip() != "ready":
            sys.exit(f"{self.name}: idle connections failed")
        time.sleep(1)
        after = memory_kib(self.process.pid)
        load.stdin.close()
        load.wait()
        time.sleep(1)
        return {"kib": (after - before) / count}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "30",
                    "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)


def start_postern(work):
    plain, tls = free_port(), free_port()
    hashed = subprocess.run(["openssl", "passwd", "-1", "bench"], check=True, capture_output=True, text=True).stdout
    users = "".join(f"{user}{i}:{hashed.strip()}\n" for user, clients, *_ in MAILBOXES for i in range(clients))
    (work / "users").write_text(users)
    (work / "postern.conf").write_text(f'''config_version = 1
listen = {{"127.0.0.1:{plain}"}}
listen_tls = {{"127.0.0.1:{tls}"}}
imap_listen = {{}}
imap_listen_tls = {{}}
tls_cert = "{work}/cert.pem"
tls_key = "{work}/key.pem"
mail = "{work}/mail"
users = "{work}/users"
plaintext = "loopback"
connections_per_address = 0
connections_per_user = 0
log = "{work}/postern.log"
log_level = "error"
''')
    version = subprocess.run([BUILD / "postern", "version"], capture_output=True, text=True).stdout.split("\n")[0]
    return Server("postern", [BUILD / "postern", "serve", "--config", work / "postern.conf"], plain, tls, version)


def start_dovecot(work, mail):
    plain, tls = free_port(), free_port()
    (work / "dovecot.conf").write_text(f'''base_dir = {work}/dovecot
log_path = {work}/dovecot.log
state_dir = {work}/dovecot-state
protocols = pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{work}/cert.pem
ssl_key = <{work}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
auth_cache_size = 1M
first_valid_uid = 1
mail_location = maildir:{mail}/%u
maildir_stat_dirs = no
pop3_no_flag_updates = yes
mail_max_userip_connections = 0
verbose_proctitle = no
passdb {{
  driver = static
  args = password=bench
}}
userdb {{
  driver = static
  args = uid={MAIL_USER} gid={MAIL_USER} home={mail}/%u
}}
default_process_limit = 1000
default_client_limit = 20000
service pop3-login {{
  service_count = 0
  process_min_avail = 2
  client_limit = 10000
  inet_listener pop3 {{
    port = {plain}
  }}
  inet_listener pop3s {{
    port = {tls}
    ssl = yes
  }}
}}
service pop3 {{
  service_count = 0
  process_min_avail = 2
  client_limit = 100
  process_limit = 1000
}}
service stats {{
  client_limit = 20000
}}
service anvil {{
  client_limit = 20000
}}
service auth {{
  client_limit = 20000
}}
''')
    version = "Dovecot " + subprocess.run(["dovecot", "--version"], capture_output=True, text=True).stdout.split()[0]
    return Server("dovecot", ["dovecot", "-F", "-c", work / "dovecot.conf"], plain, tls, version)


# name, mode, user, count, threads, tls, bar (share of Dovecot's CPU time that is allowed)
ROWS = [
    ("login, STAT, QUIT", "login", "small%", 20000, CLIENTS, False, 1 / 8),
    ("login, STAT, QUIT over TLS", "login", "small%", 4000, CLIENTS, True, None),
    ("NOOP", "noop", "small%", 200000, THREADS, False, None),
    ("UIDL and LIST of 10,000", "list", "large%", 400, THREADS, False, 1 / 10),
    ("RETR, per message of 16 KiB", "retr", "retr%", 200, THREADS, False, 1 / 8),
    ("RETR, per message of 128 KiB", "retr", "big%", 100, THREADS, False, 1 / 8),
    ("RETR over TLS, per message of 16 KiB", "retr", "retr%", 200, THREADS, True, None),
]


def handshake_floor(work):
    """CPU microseconds of the bare TLS handshake of a server on this machine (openssl s_server)."""
    port = free_port()
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", work / "cert.pem",
                               "-key", work / "key.pem", "-quiet", "-no_ticket"], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_port(port)
    before = cpu_seconds(server.pid)
    out = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", "4"],
                         capture_output=True, text=True).stdout
    used = cpu_seconds(server.pid) - before
    server.kill()
    count = next((int(line.split()[0]) for line in out.splitlines() if "connections in" in line), 0)
    return used / count * 1e6 if count else None


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores of {model}, Linux {os.uname().release}"


def table(results, floor):
    lines = [f"Machine: {machine()}. {time.strftime('%Y-%m-%d')}. "
             f"{results['postern']['version']} and {results['dovecot']['version']} (tuned), same mail, same run.", "",
             "| operation | Postern, CPU us | Dovecot, CPU us | ratio | bar | Postern/s | Dovecot/s |",
             "| --- | --: | --: | --: | --: | --: | --: |"]
    for name, *_, bar in ROWS:
        ours, theirs = results["postern"]["rows"][name], results["dovecot"]["rows"][name]
        lines.append(f"| {name} | {ours['cpu_us']:.1f} | {theirs['cpu_us']:.1f} | 1/{theirs['cpu_us'] / ours['cpu_us']:.1f} "
                     f"| {'1/%d' % round(1 / bar) if bar else ''} | {ours['per_s']:.0f} | {theirs['per_s']:.0f} |")
    for name in ("plain", "tls"):
        ours, theirs = results["postern"]["idle"][name], results["dovecot"]["idle"][name]
        lines.append(f"| idle logged-in connection, {name}, KiB (of {results['idle_count']}; Dovecot of "
                     f"{results['dovecot_idle_count']}) | {ours['kib']:.1f} | {theirs['kib']:.1f} | "
                     f"1/{theirs['kib'] / max(ours['kib'], 0.1):.1f} | {8 if name == 'plain' else 24} KiB | | |")
    lines.append("| resident memory of all processes after these, before the idle ones, KiB | "
                 f"{results['postern']['resident']} | {results['dovecot']['resident']} | "
                 f"1/{results['dovecot']['resident'] / results['postern']['resident']:.1f} | | | |")
    if floor:
        lines += ["", f"Bare TLS handshake of `openssl s_server` in the same run: {floor:.0f} us CPU."]
    return "\n".join(lines) + "\n"


def plot(results):
    data = "".join(f'"{name}" {results["postern"]["rows"][name]["cpu_us"]:.2f} '
                   f'{results["dovecot"]["rows"][name]["cpu_us"]:.2f}\n' for name, *_ in ROWS)
    (OUT / "results.dat").write_text(data)
    script = f'''set terminal svg size 900,420
set output "{OUT}/results.svg"
set style data histogram
set style fill solid 0.8
set logscale y
set ylabel "CPU microseconds per operation (log)"
set xtics rotate by -12
plot "{OUT}/results.dat" using 2:xtic(1) title "Postern", "" using 3 title "Dovecot, tuned"
'''
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def run(server, idle_count):
    rows = {}
    for name, mode, user, count, threads, tls, _ in ROWS:
        count = max(threads, count // 10) if QUICK else count
        rows[name] = server.measure(mode, user, count, threads, tls)
        print(f"{server.name}: {name}: {rows[name]['cpu_us']:.1f} us CPU, {rows[name]['per_s']:.0f}/s", flush=True)
    resident = memory_kib(server.process.pid)
    idle = {"plain": server.idle("idle%", idle_count), "tls": server.idle("idle%", idle_count, True)}
    print(f"{server.name}: idle {idle}", flush=True)
    return {"rows": rows, "idle": idle, "resident": resident, "version": server.version}


def main():
    if os.geteuid() != 0:
        sys.exit("bench: Dovecot starts as root only, and it must read the same mail: run this as root")
    OUT.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-"))
    os.chmod(work, 0o755)
    owner = pwd.getpwnam(MAIL_USER)
    try:
        for user, clients, count, size in MAILBOXES:
            for i in range(clients):
                make_maildir(work / "mail" / f"{user}{i}", count, size, owner.pw_uid, owner.pw_gid)
        certificate(work)
        results = {"idle_count": IDLE, "dovecot_idle_count": IDLE_DOVECOT}
        for start, idle in ((lambda: start_postern(work), results["idle_count"]),
                            (lambda: start_dovecot(work, work / "mail"), results["dovecot_idle_count"])):
            server = start()
            try:
                results[server.name] = run(server, idle)
            finally:
                server.stop()
        floor = handshake_floor(work)
        results["handshake_us"] = floor
        text = table(results, floor)
        (OUT / "results.md").write_text(text)
        (OUT / "results.json").write_text(json.dumps(results, indent=1))
        plot(results)
        print(text)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
