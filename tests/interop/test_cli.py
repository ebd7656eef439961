#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_cli - every verb of `postern` as an administrator uses it: what it prints, its exit code (sysexits.h), and
what it leaves behind."""
import json
import os
import pathlib
import poplib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import POSTERN, Checks, Server  # noqa: E402

USAGE, DATAERR, NOINPUT, NOUSER, UNAVAILABLE, NOPERM, CONFIG = 64, 65, 66, 67, 69, 77, 78
checks = Checks()


def run(*arguments, code=0, **more):
    """Run it and check the exit code; what it said."""
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("POSTERN_")}, **more.pop("env", {})}
    done = subprocess.run([POSTERN, *map(str, arguments)], capture_output=True, text=True, timeout=60, env=env, **more)
    checks.check(f"postern {' '.join(map(str, arguments))}: exit {code}", done.returncode == code,
                 f"{done.returncode} {done.stderr}")
    if code:
        checks.check(f"postern {arguments[:2]}: says why in one line", done.stderr.startswith("postern: ")
                     and done.stderr.count("\n") == 1, repr(done.stderr))
    return done


def says(what, text, *parts):
    for part in parts:
        checks.check(f"{what} says {part!r}", part in text, text)


def test_help(_):
    for arguments in ([], ["help"], ["--help"], ["-h"]):
        says("help", run(*arguments).stdout, "postern serve", "postern dev", "postern user", "postern put")
    for verb in ("serve", "dev", "user", "mailbox", "put", "populate", "config", "version"):
        says(f"help {verb}", run("help", verb).stdout, f"usage: postern {verb}")
        says(f"{verb} --help", run(verb, "--help").stdout, f"usage: postern {verb}")
    says("serve --help", run("serve", "--help").stdout, "--idle-timeout", "--listen-tls")
    says("version", run("version").stdout, "postern 0.")
    says("--version", run("--version").stdout, "postern 0.")
    sizes = json.loads(run("sizes", "--json").stdout)
    checks.check("sizes (N6)", set(sizes) == {"pop3", "imap", "smtp"} and all(256 < size < 4096 for size in sizes.values()), str(sizes))
    says("--sizes", run("--sizes").stdout, f"SMTP {sizes['smtp']}")
    checks.check("version --json", json.loads(run("version", "--json").stdout)["version"][0] == "0")


def test_wrong_use(_):
    says("no such verb", run("serv", code=USAGE).stderr, "serv")
    run("help", "nothing", code=USAGE)
    says("did you mean", run("serve", "--idle-timeot", "5m", code=USAGE).stderr, "idle_timeout")
    says("no value", run("config", "check", "--mail", code=USAGE).stderr, "mail")
    run("user", code=USAGE)
    run("user", "frobnicate", code=USAGE)
    run("user", "add", code=USAGE)
    run("mailbox", code=USAGE)
    run("put", code=USAGE)
    run("config", code=USAGE)
    run("config", "check", "a", "b", code=USAGE)
    run("config", "check", "--idle-timeout", "soon", code=USAGE)


def test_configuration(work):
    example = run("config", "example").stdout
    conf = work / "postern.conf"
    conf.write_text(example)
    says("check", run("config", "check", "--config", conf).stdout, "good")
    uncommented = "\n".join(line[2:] if " = " in line and line.startswith("# ") else line for line in example.split("\n"))
    conf.write_text(uncommented)
    checks.check("the example shows the defaults", run("config", "dump", "--config", conf).stdout == run("config", "dump").stdout)
    conf.write_text("config_version = 1\n" + "".join(
        line + "\n" for line in run("config", "dump").stdout.splitlines() if not line.startswith("config_version")))
    run("config", "check", "--config", conf)
    parsed = json.loads(run("config", "dump", "--json").stdout)
    checks.check("dump --json", parsed["idle_timeout"] == "10m" and isinstance(parsed["listen"], list), parsed)
    says("a missing file", run("config", "check", "--config", work / "none", code=NOINPUT).stderr, "none")
    run("config", "check", env={"POSTERN_CONFIG": ""})
    says("POSTERN_CONFIG", run("config", "check", env={"POSTERN_CONFIG": str(work / "gone")}, code=NOINPUT).stderr, "gone")
    conf.write_text('config_version = 1\n\nmial = "x"\n')
    says("unknown key", run("config", "check", "--config", conf, code=CONFIG).stderr, "postern.conf:3", "mial", '"mail"')
    conf.write_text('config_version = 99\n')
    run("config", "check", "--config", conf, code=CONFIG)
    conf.write_text('config_version = 1\nmail = "x\n')
    run("config", "check", "--config", conf, code=CONFIG)
    conf.write_text('config_version = 1\nidle_timeout = "1m"\n')
    says("what RFC 1939 forbids", run("config", "check", "--config", conf, code=CONFIG).stderr, "idle_timeout")


def test_precedence(work):
    """default < file < variable < flag"""
    conf = work / "postern.conf"
    conf.write_text('config_version = 1\ngreeting = "of the file"\n')

    def greeting(*arguments, **env):
        return json.loads(run("config", "dump", "--json", *arguments, env=env).stdout)["greeting"]

    checks.check("default", greeting() == "Postern ready")
    checks.check("file", greeting("--config", conf) == "of the file")
    checks.check("file by variable", greeting(POSTERN_CONFIG=str(conf)) == "of the file")
    checks.check("variable", greeting("--config", conf, POSTERN_GREETING="of the variable") == "of the variable")
    checks.check("flag", greeting("--greeting", "of the flag", "--config", conf, POSTERN_GREETING="v") == "of the flag")
    checks.check("flag with =", greeting("--greeting=a=b") == "a=b")
    checks.check("a list", json.loads(run("config", "dump", "--json", "--mechanisms", "PLAIN,LOGIN").stdout)["mechanisms"]
                 == ["PLAIN", "LOGIN"])


def test_users(work):
    users = work / "users"
    run("user", "add", "ann", "--users", work / "fresh", input="secret\n")
    checks.check("only we may read a new file", (work / "fresh").stat().st_mode & 0o777 == 0o600)
    users.write_text("# kept as it is\nold:!:\n")
    users.chmod(0o640)
    run("user", "add", "ann", "--users", users, input="secret\n")
    run("user", "add", "bea", "--scram", "--apop", "--users", users, input="hidden\n")
    run("user", "add", "ann", "--users", users, input="again\n", code=DATAERR)
    run("user", "add", "a:b", "--users", users, input="x\n", code=DATAERR)
    run("user", "add", "", "--users", users, input="x\n", code=DATAERR)
    run("user", "add", "carl", "--users", users, input="\n", code=DATAERR)
    run("user", "add", "carl", "--users", users, input="", code=DATAERR)
    text = users.read_text()
    checks.check("other lines are kept", text.startswith("# kept as it is\nold:!:\n"))
    checks.check("yescrypt", "\nann:$y$" in text, text)
    checks.check("no password in the file without --apop", "secret" not in text)
    checks.check("who may read it stays", users.stat().st_mode & 0o777 == 0o640, oct(users.stat().st_mode))
    says("list", run("user", "list", "--users", users).stdout, "ann\n", "bea scram apop\n")
    listed = {row["user"]: row for row in json.loads(run("user", "list", "--json", "--users", users).stdout)}
    checks.check("list --json", listed["bea"]["scram"] and listed["bea"]["apop"] and not listed["ann"]["scram"], listed)
    says("test", run("user", "test", "ann", "--users", users, input="secret\n").stdout, "yes")
    checks.check("test --json", json.loads(run("user", "test", "ann", "--json", "--users", users, input="secret\n").stdout)["ok"])
    done = subprocess.run([POSTERN, "user", "test", "ann", "--users", users], input="wrong\n", capture_output=True, text=True)
    checks.check("test of a wrong password", done.returncode == NOPERM and done.stdout == "no\n", done)
    run("user", "passwd", "ann", "--users", users, input="newer\n")
    says("the new password", run("user", "test", "ann", "--users", users, input="newer\n").stdout, "yes")
    run("user", "passwd", "nobody", "--users", users, input="x\n", code=NOUSER)
    run("user", "del", "bea", "--users", users)
    run("user", "del", "bea", "--users", users, code=NOUSER)
    checks.check("deleted", "bea" not in users.read_text())
    run("user", "passwd", "ann", "--disabled", "--users", users, input="newer\n")
    done = subprocess.run([POSTERN, "user", "test", "ann", "--users", users], input="newer\n", capture_output=True, text=True)
    checks.check("a disabled user", done.returncode == NOPERM and "disabled" in done.stdout, done)
    run("user", "list", "--users", work / "no-such-file", code=NOINPUT)


def test_mail(work):
    for store in ("maildir", "eml"):
        mail = work / store
        flags = ("--mail", mail, "--store", store)
        letter = work / "letter"
        letter.write_text("Subject: one\n\nbody\n")
        uid = run("put", "ann", letter, *flags).stdout.strip()
        checks.check(f"{store}: put names the message", 0 < len(uid) <= 70)
        checks.check(f"{store}: put from standard input", run("put", "ann", *flags, input="Subject: two\n\nx").stdout.strip() != uid)
        run("put", "ann", "-", *flags, input="Subject: three\n\nx")
        run("put", "ann", work / "missing", *flags, code=NOINPUT)
        run("put", "../ann", letter, *flags, code=NOUSER)
        run("populate", "bob", "--count", "5", *flags)
        says(f"{store}: list", run("mailbox", "list", *flags).stdout, "ann\n", "bob\n")
        checks.check(f"{store}: list --json", sorted(json.loads(run("mailbox", "list", "--json", *flags).stdout)) == ["ann", "bob"])
        says(f"{store}: status", run("mailbox", "status", "ann", *flags).stdout, "ann: 3 messages, ")
        status = {row["user"]: row for row in json.loads(run("mailbox", "status", "--json", *flags).stdout)}
        checks.check(f"{store}: status --json", status["ann"]["messages"] == 3 and status["bob"]["messages"] == 5, status)
        checks.check(f"{store}: octets in wire form", status["ann"]["bytes"] == 22 + 19 + 21, status)
        run("mailbox", "status", "nobody", *flags, code=NOUSER)
    run("mailbox", "list", "--store", "memory", code=USAGE)
    run("mailbox", "list", "--mail", work / "nowhere", code=NOUSER)


def test_populate_stops(work):
    """It goes on until stopped; every message is whole."""
    process = subprocess.Popen([POSTERN, "populate", "eve", "--rate", "50", "--mail", str(work / "eve")], stdout=subprocess.DEVNULL)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    code = process.wait(20)
    files = [path for path in (work / "eve").rglob("*") if path.is_file() and path.parent.name in ("new", "cur")]
    checks.check("populate ends", code in (0, 128 + signal.SIGINT, -signal.SIGINT), code)
    checks.check("populate delivers at its rate", 3 <= len(files) <= 60, len(files))
    checks.check("each has a header and a body", all(b"\nSubject: " in b"\n" + p.read_bytes() for p in files))


def test_serve_refusals(work):
    users = work / "users"
    users.write_text("")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run([POSTERN, "serve", "--listen", f"127.0.0.1:{port}", "--listen-tls", "", "--imap-listen", "", "--imap-listen-tls", "", "--mail", str(work),
                               "--users", str(users)], capture_output=True, text=True, timeout=30)
        checks.check("a port that is taken", done.returncode == UNAVAILABLE and str(port) in done.stderr, done)
    for flags, code, part in ((["--users", work / "none"], CONFIG, "none"), (["--tls-cert", work / "none"], CONFIG, "tls"),
                              (["--store", "floppy"], CONFIG, "store"), (["--user", "no-such-user"], NOUSER, "no-such-user")):
        done = subprocess.run([POSTERN, "serve", "--listen", "127.0.0.1:0", "--listen-tls", "", "--imap-listen", "", "--imap-listen-tls", "", "--mail", str(work),
                               "--users", str(users), *map(str, flags)], capture_output=True, text=True, timeout=30)
        checks.check(f"serve {flags[0]}: exit {code}", done.returncode == code and part in done.stderr,
                     f"{done.returncode} {done.stderr}")


def login(server, name="alice", password="secret"):
    client = poplib.POP3("127.0.0.1", server.plain, timeout=30)
    client.user(name)
    client.pass_(password)
    return client


def test_reload_and_drain(_):
    """SIGHUP: new users can log in. SIGTERM: what was only marked stays, and the exit code is 0."""
    server = Server()
    try:
        server.fill("alice", [("a", b"one\r\n"), ("b", b"two\r\n")])
        server.add_user("bob", "fresh")
        server.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 20
        while not any(" reloaded" in line for line in server.log) and time.monotonic() < until:
            time.sleep(0.02)
        login(server, "bob", "fresh").quit()
        client = login(server)
        client.dele(1)
        checks.check("drained with 0", server_end(server) == 0)
        checks.check("what was only marked stays", len(server.files("alice")) == 2)
        try:
            client.noop()
            checks.check("the session was ended", False)
        except (poplib.error_proto, OSError) as error:
            checks.check("the session was ended", True, error)
    finally:
        server.stop()


def server_end(server):
    server.process.send_signal(signal.SIGTERM)
    return server.process.wait(30)


def test_log_is_safe(_):
    """A failed login is logged with its address, the name escaped, the password never."""
    server = Server()
    try:
        for name in ("mallory", "mal\x1blory"):
            try:
                login(server, name, "pa55word-never-logged")
            except poplib.error_proto:
                pass
        login(server).quit()
    finally:
        server.stop()
    text = "".join(server.log)
    failed = [line for line in server.log if " login-failed " in line]
    checks.check("failures are logged with address and user", any("127.0.0.1" in line and "mallory" in line for line in failed), failed)
    checks.check("no control characters", "\x1b" not in text)
    checks.check("no password", "pa55word" not in text and "secret" not in text)


def main():
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            with tempfile.TemporaryDirectory(prefix="postern-cli-") as work:
                checks.run(name, test, pathlib.Path(work))
    checks.finish()


main()
