# SPDX-License-Identifier: MIT
"""harness - a real `postern serve` on loopback over a Maildir made from the sample mail, and the
counting of checks. Used by the tests of this folder."""
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = pathlib.Path(os.environ.get("SOURCE", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ["BUILD"])
POSTERN = str(BUILD / "postern")


def wire_form(data):
    """The octets that RETR sends: CRLF line ends, the last one included; a bare CR stays."""
    data = re.sub(rb"\r?\n", b"\r\n", data)
    return data if data.endswith(b"\r\n") or not data else data + b"\r\n"


class Checks:
    """Counts; a check never raises, so that one failure does not hide the next."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, what, ok, detail=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED: {what} {detail}", flush=True)
        return ok

    def run(self, what, function, *arguments):
        try:
            function(*arguments)
        except Exception as error:  # a client that breaks is a failed check
            self.check(what, False, f"{type(error).__name__}: {error}")

    def skip(self, why, count=1):
        self.skipped += count
        print(f"skipped: {why}", flush=True)

    def run_tests(self, names, *given):
        """Each test_*() among a module's names, or those that the command line names."""
        for name, function in list(names.items()):
            if name.startswith("test_") and (not sys.argv[1:] or name[5:] in sys.argv[1:]):
                self.run(name, function, *given)

    def run_with(self, server, names):
        """The tests of a module, one after the other, over a server that is to end well; the end."""
        try:
            self.run_tests(names, server)
        finally:
            self.check("the server ends well", server.stop() == 0, "".join(server.log[-5:]))
        self.finish()

    def run_each(self, make_server, names):
        """The tests of a module, each over a server of its own that is to end well; the end."""
        def over_its_own(test):
            server = make_server()
            try:
                test(server)
            finally:
                ended = server.stop()
                self.check(f"{test.__name__}: the server ends well", ended == 0, f"{ended} " + "".join(server.log[-5:]))
        self.run_tests({name: functools.partial(over_its_own, test) for name, test in names.items()
                        if name.startswith("test_")})
        self.finish()

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(bool(self.failed or not (self.passed or self.skipped)))


class Server:
    """`postern serve` with users user1.. (password 'pässword'-free ASCII 'secret'), APOP and SCRAM keys."""

    @staticmethod
    def make_folder():
        return pathlib.Path(tempfile.mkdtemp(prefix="postern-test-"))

    def __init__(self, settings=(), users=("alice",), users_text="", folder=None):
        self.folder = folder or self.make_folder()
        self.mail = self.folder / "mail"
        self.users = self.folder / "users"
        if users_text:
            self.users.write_text(users_text)
        for user in users:
            self.add_user(user)
        lines = ["config_version = 1", 'listen = {"127.0.0.1:0"}', 'listen_tls = {"127.0.0.1:0"}',
                 'imap_listen = {"127.0.0.1:0"}', 'imap_listen_tls = {"127.0.0.1:0"}',
                 f'mail = "{self.mail}"', f'users = "{self.users}"', 'plaintext = "always"', "apop = yes",
                 'mechanisms = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1"}',
                 'host = "localhost"', *settings]
        (self.folder / "postern.conf").write_text("\n".join(lines) + "\n")
        self.log, self.ports = [], {}
        self.process = subprocess.Popen([POSTERN, "serve", "--config", str(self.folder / "postern.conf")],
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        until = time.monotonic() + 30
        while not any("info ready " in line for line in self.log):
            if time.monotonic() > until or self.process.poll() is not None:
                self.reader.join(5)  # what it said last
                raise RuntimeError("the server does not come up:\n" + "".join(self.log))
            time.sleep(0.02)

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)
            if match := re.search(r"listening .*address=\"?127\.0\.0\.1:(\d+)\"? .*protocol=(\w+)", line):
                self.ports[match[2]] = int(match[1])

    @property
    def plain(self):
        return self.ports["pop3"]

    @property
    def tls(self):
        return self.ports["pop3s"]

    @property
    def imap(self):
        return self.ports["imap"]

    @property
    def imaps(self):
        return self.ports["imaps"]

    def port(self, protocol):
        """Of "smtp", "submission", "submissions", "lmtp"."""
        return self.ports[protocol]

    def add_user(self, user, password="secret"):
        subprocess.run([POSTERN, "user", "add", user, "--scram", "--apop", "--users", str(self.users)],
                       input=password + "\n", text=True, check=True, stdout=subprocess.DEVNULL)

    def fill(self, user, messages):
        """A fresh Maildir of these (name, bytes)."""
        shutil.rmtree(self.mail / user, ignore_errors=True)
        for sub in ("cur", "new", "tmp"):
            (self.mail / user / sub).mkdir(parents=True)
        for number, (name, data) in enumerate(messages):
            (self.mail / user / "new" / f"{1700000000 + number}.M{number}.{name}").write_bytes(data)

    def files(self, user):
        return sorted(path for sub in ("cur", "new") for path in (self.mail / user / sub).iterdir())

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode


def samples():
    """The sample mail: (stem, bytes), in the order in which the server lists it."""
    return [(path.stem, path.read_bytes()) for path in sorted((SOURCE / "share/sample").glob("*.eml"))]
