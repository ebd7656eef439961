#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_daemon - the real binary, driven by poplib and raw sockets over the loopback.

BUILD names the build folder. Every server listens on ports that the system chose and tells them in
its log line `listening address=... protocol=...`. Each check can fail; prints `N passed, N failed`.
"""
import os
import poplib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

BINARY = os.path.join(os.environ.get("BUILD", "build"), "postern")
TIMEOUT = 20
PASSWORD = "correct-horse-battery"
poplib._MAXLINE = 1 << 20


def insecure():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=TIMEOUT, **more)


class Place:
    """A folder with a maildir and a users file."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="postern-test-")
        self.users = os.path.join(self.path, "users")
        self.mail = os.path.join(self.path, "mail")
        self.user_add("ada", PASSWORD)
        self.deliver("ada", 3)

    def user_add(self, name, password):
        answer = run("user", "add", name, "--users", self.users, input=password + "\n")
        if answer.returncode:
            raise RuntimeError("user add: " + answer.stderr)

    def deliver(self, user, count):
        for folder in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.mail, user, folder), exist_ok=True)
        for i in range(count):
            with open(os.path.join(self.mail, user, "new", f"{1700000000 + i}.M{i}P1.host"), "wb") as out:
                out.write(b"Subject: message %d\n\n.dot %d\n" % (i, i))

    def count(self, user):
        return sum(len(os.listdir(os.path.join(self.mail, user, folder))) for folder in ("cur", "new"))

    def certificate(self, name, stem="one"):
        cert, key = os.path.join(self.path, stem + ".pem"), os.path.join(self.path, stem + ".key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
                        "-days", "2", "-keyout", key, "-out", cert], check=True, capture_output=True)
        return cert, key


class Server:
    """A running `postern serve`."""

    running = []  # processes of this test; a failed one leaves its own behind

    def __init__(self, place, *flags, environment=None):
        self.log_path = os.path.join(place.path, "log")
        if os.path.exists(self.log_path):
            os.unlink(self.log_path)
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0", "--imap-listen", "", "--imap-listen-tls", "", "--mail", place.mail,
             "--users", place.users, "--log", self.log_path, "--threads", "2", *flags],
            env={**os.environ, **(environment or {})}, stderr=subprocess.PIPE, text=True)
        self.running.append(self.process)
        self.wait_log("ready")
        ports = dict(reversed(pair) for pair in re.findall(r"listening address=\S+:(\d+) protocol=(\w+)", self.log()))
        self.port, self.port_tls = int(ports["pop3"]), int(ports["pop3s"])

    def log(self):
        try:
            with open(self.log_path, encoding="ascii") as text:
                return text.read()
        except FileNotFoundError:
            return ""

    def wait_log(self, event, count=1):
        end = time.monotonic() + TIMEOUT
        while len(re.findall(rf"^\S+ \w+ {event}\b", self.log(), re.M)) < count:
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self.process.stderr.read()} {self.log()}")
            if time.monotonic() > end:
                raise RuntimeError(f"no {event} in the log: " + self.log())
            time.sleep(0.02)

    def plain(self):
        return poplib.POP3("127.0.0.1", self.port, timeout=TIMEOUT)

    def stls(self):
        client = self.plain()
        client.stls(insecure())
        return client

    def tls(self):
        return poplib.POP3_SSL("127.0.0.1", self.port_tls, timeout=TIMEOUT, context=insecure())

    def login(self, user="ada", password=PASSWORD):
        client = self.tls()
        client.user(user)
        client.pass_(password)
        return client

    def end(self, signals=(signal.SIGTERM,)):
        if self.process.poll() is None:
            for number in signals:
                self.process.send_signal(number)
        code = self.process.wait(TIMEOUT)
        self.process.stderr.close()
        return code


def raises(call, part):
    try:
        call()
    except poplib.error_proto as error:
        return part.encode() in error.args[0]
    return False


def check(condition, what):
    if not condition:
        raise AssertionError(what)


# ---- the tests: each gets its own place ---------------------------------------------------------

def test_plain_stls_and_tls(place):
    server = Server(place)
    client = server.plain()
    check(raises(lambda: client.user("ada"), "-ERR"), "clear-text login without TLS")
    check("STLS" in client.capa(), "STLS offered")
    client.quit()
    for connect in (server.stls, server.tls):
        client = connect()
        client.user("ada")
        client.pass_(PASSWORD)
        check(client.stat()[0] == 3, "three messages")
        check(client.retr(1)[1] == [b"Subject: message 0", b"", b".dot 0"], "the message as it was")
        check(len({line.split()[1] for line in client.uidl()[1]}) == 3, "three unique-ids")
        client.quit()
    server.wait_log("closed", 3)
    check(re.search(r'login session=\d+ peer=127\.0\.0\.1:\d+ user="ada" method=PASS tls="TLSv1', server.log()),
          "the login and its cipher in the log (R96)")
    check(server.end() == 0, "exit code 0")


def test_deletion_at_quit(place):
    server = Server(place)
    client = server.login()
    client.dele(2)
    client.quit()
    check(place.count("ada") == 2, "one is deleted")
    check("expunged" in server.log(), "and logged")
    client = server.login()
    client.dele(1)
    client.close()
    server.wait_log("closed", 2)
    check(place.count("ada") == 2, "a dropped connection deletes nothing")
    server.end()


def test_drain_deletes_nothing(place):
    server = Server(place)
    client = server.login()
    client.dele(1)
    server.process.send_signal(signal.SIGTERM)
    rest = client.sock.recv(1000)
    check(rest == b"" or rest.startswith(b"-ERR [SYS/TEMP]"), "the session is ended")
    client.close()
    check(server.end(()) == 0, "exit code 0 after the drain")
    check(place.count("ada") == 3, "what was only marked is not deleted")


def test_second_signal_ends_at_once(place):
    server = Server(place)
    raw = socket.create_connection(("127.0.0.1", server.port_tls))  # a handshake that never comes
    check(server.end((signal.SIGTERM, signal.SIGTERM)) == 0, "exit code 0")
    raw.close()


def test_reload_users(place):
    server = Server(place)
    check(raises(lambda: server.login("bob", "another-password"), "[AUTH]"), "bob is unknown")
    place.user_add("bob", "another-password")
    server.process.send_signal(signal.SIGHUP)
    server.wait_log("reloaded")
    client = server.login("bob", "another-password")
    check(client.stat()[0] == 0, "bob's mailbox is empty")
    client.quit()
    server.end()


def peer_name(server, asked=None):
    """The certificate (DER, in which the names stand readable) for a client that asks for this name."""
    with socket.create_connection(("127.0.0.1", server.port_tls), TIMEOUT) as raw:
        with insecure().wrap_socket(raw, server_hostname=asked) as tls:
            return tls.getpeercert(True)


def test_certificates_by_name(place):  # R99
    cert, key = place.certificate("one.example")
    extra_cert, extra_key = place.certificate("two.example", "two")
    server = Server(place, "--tls-cert", cert, "--tls-key", key, "--tls-extra", f"{extra_cert}:{extra_key}")
    check(b"two.example" in peer_name(server, "two.example"), "the certificate of the name asked for")
    check(b"one.example" in peer_name(server, "one.example"), "and of the other")
    check(b"one.example" in peer_name(server), "the first one without a name")
    server.end()


def test_reload_certificate(place):
    cert, key = place.certificate("one.example")
    server = Server(place, "--tls-cert", cert, "--tls-key", key)
    before = peer_name(server)
    client = server.login()
    place.certificate("two.example")
    server.process.send_signal(signal.SIGHUP)
    server.wait_log("reloaded")
    check(b"one.example" in before and b"two.example" in peer_name(server), "the new certificate is used")
    check(client.stat()[0] == 3, "sessions go on")
    client.quit()
    server.end()


def test_log_rotation(place):
    server = Server(place)
    os.rename(server.log_path, server.log_path + ".1")
    server.process.send_signal(signal.SIGHUP)
    server.wait_log("reloaded")
    check(os.path.exists(server.log_path), "a new log file")
    server.end()


def test_no_secrets_in_the_log(place):
    server = Server(place, "--log-level", "debug", "--ban-strikes", "0")
    client = server.tls()
    client.user("ada\"")
    raises(lambda: client.pass_("hunter2-secret"), "")
    client.close()
    server.login().quit()
    server.wait_log("closed", 2)
    log = server.log()
    check("login-failed" in log, "the failure is logged")
    check('user="ada\\""' in log, "its name is escaped")
    check("hunter2" not in log and PASSWORD not in log, "no password in the log")
    server.end()


def proxied(server, address):
    """A connection that came through a proxy, as a stream."""
    raw = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
    raw.sendall(b"PROXY TCP4 %s 192.0.2.1 4711 110\r\n" % address.encode())
    stream = raw.makefile("rwb", buffering=0)
    raw.close()  # the stream keeps it
    return stream


def fail_once(server, address):
    """One session with one failed login; False when the server does not even greet."""
    with proxied(server, address) as stream:
        try:
            if not stream.readline().startswith(b"+OK"):
                return False
            stream.write(b"USER ada\r\nPASS wrong\r\n")
            stream.readline()
            check(b"[AUTH]" in stream.readline(), "the login fails")
        except ConnectionError:
            return False
    return True


def test_bans(place):  # loopback itself is never banned, so the clients come through a proxy
    server = Server(place, "--ban-strikes", "2", "--ban-time", "1h", "--proxy-trusted", "127.0.0.1",
                    "--plaintext", "always")
    check(fail_once(server, "192.0.2.77"), "first failed session")
    server.wait_log("closed", 1)
    check(fail_once(server, "192.0.2.77"), "second failed session")
    server.wait_log("banned")
    check(not fail_once(server, "192.0.2.77"), "the address is banned")
    check(fail_once(server, "192.0.2.78"), "its neighbour is not")
    server.end()


def test_proxy_header(place):
    server = Server(place, "--proxy-trusted", "127.0.0.1", "--plaintext", "always")
    with proxied(server, "192.0.2.77") as stream:
        check(stream.readline().startswith(b"+OK"), "greeting behind the header")
        stream.write(b"USER ada\r\nPASS " + PASSWORD.encode() + b"\r\nQUIT\r\n")
        check([stream.readline()[:3] for _ in range(3)] == [b"+OK"] * 3, "login and end")
    server.wait_log("closed")
    check("peer=192.0.2.77:4711" in server.log(), "the client's address is in the log")
    server.end()


def test_exit_codes(place):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        flags = ["serve", "--mail", place.mail, "--users", place.users, "--listen-tls", "127.0.0.1:0", "--imap-listen", "", "--imap-listen-tls", "", "--listen"]
        check(run(*flags, "127.0.0.1:%d" % taken.getsockname()[1]).returncode == os.EX_UNAVAILABLE, "port taken")
    check(run(*flags, "127.0.0.1:0", "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent").returncode
          == os.EX_CONFIG, "no certificate")
    check(run(*flags, "127.0.0.1:0", "--users", "/nonexistent").returncode == os.EX_CONFIG, "no users file")


def test_notify_socket(place):
    path = os.path.join(place.path, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.settimeout(TIMEOUT)
        server = Server(place, environment={"NOTIFY_SOCKET": path})
        check(manager.recv(100) == b"READY=1", "READY=1")
        server.process.send_signal(signal.SIGHUP)
        check(manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC="), "RELOADING=1")
        check(manager.recv(100) == b"READY=1", "READY=1 again")
        server.process.send_signal(signal.SIGTERM)
        check(manager.recv(100) == b"STOPPING=1", "STOPPING=1")
        check(server.end(()) == 0, "exit code 0")


def test_one_account_many_clients(place):
    server = Server(place)
    first = server.login()
    check(raises(server.login, "[IN-USE]"), "locked while the first is in")
    check(first._shortcmd("SLEE").startswith(b"+OK"), "SLEE lets go")
    second = server.login()
    second.dele(1)
    second.quit()
    check(first._shortcmd("WAKE").startswith(b"+OK [ACTIVITY/NONE]"), "WAKE says what came")
    check(first.stat()[0] == 2, "and what is left")
    first.quit()
    server.end()


def test_login_delay(place):
    server = Server(place, "--login-delay", "1h")
    server.login().quit()
    check(raises(server.login, "[LOGIN-DELAY]"), "too soon")
    server.end()


def main():
    passed = failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        place = Place()
        try:
            test(place)
            passed += 1
        except Exception as error:  # whatever it was, the next test shall run
            failed += 1
            print(f"FAIL {name}: {type(error).__name__}: {error}")
        finally:
            for server in Server.running:
                server.kill()
            Server.running.clear()
            shutil.rmtree(place.path, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
