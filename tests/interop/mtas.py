# SPDX-License-Identifier: MIT
"""mtas - Postfix, Exim and OpenSMTPD, each with a configuration and a queue of its own, taking mail by SMTP on a port of the
loopback and handing it to a place: "unix:PATH" and "lmtp:PORT" by LMTP, "smtp:PORT" by SMTP. Postfix is installed; of the
other two, which cannot be installed beside it, the packages are unpacked, and run where mounts and users are their own."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import BUILD

PEERS = BUILD.resolve() / "peers"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def unpack(*packages):
    """The folder into which these were unpacked, once; None: they cannot be had."""
    folder = PEERS / packages[0]
    if folder.is_dir():
        return folder
    with tempfile.TemporaryDirectory() as debs:
        os.chmod(debs, 0o777)
        got = subprocess.run(["apt-get", "download", *packages], cwd=debs, capture_output=True, timeout=300)
        if got.returncode:
            return None
        making = folder.with_suffix(".new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        for deb in pathlib.Path(debs).glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(deb), str(making)], check=True)
        making.rename(folder)
    return folder


class Mta:
    ready, why = True, ""

    def __init__(self, where):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="postern-mta-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.how, _, self.place = where.partition(":")
        if os.geteuid():
            self.ready, self.why = False, "it wants to be root"

    def __enter__(self):
        if self.ready:
            self.start()
        if self.ready:
            self.wait()
        return self

    def __exit__(self, *_):
        if self.ready:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"{type(self).__name__} does not come up: {self.log()[-800:]}")

    def log(self):
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("log*")) if path.is_file())

    def log_has(self, text):
        until = time.monotonic() + 30
        while text not in self.log() and time.monotonic() < until:
            time.sleep(0.1)
        return text in self.log()


MASTER = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def last_of_each(settings):
    """Each of main.cf once. Of one that stands there twice every program of Postfix warns as it starts, the one that writes the
    log as well: it can then wait for ever for itself to make room for that."""
    lines = {}
    for line in re.findall(r"^\S.*\n(?:[ \t].*\n)*", settings, re.MULTILINE):
        lines[line.partition("=")[0].strip()] = line
    return "".join(lines.values())


class Postfix(Mta):
    services = ""  # further lines of master.cf
    settings = ""  # and of main.cf

    def start(self):
        if not shutil.which("postfix"):
            self.ready, self.why = False, "it is not installed"
            return
        config = self.folder / "etc"
        config.mkdir()
        (self.folder / "data").mkdir()
        shutil.chown(self.folder / "data", "postfix")
        way = {"unix": f"lmtp:unix:{self.place}", "lmtp": f"lmtp:inet:127.0.0.1:{self.place}",
               "smtp": f"smtp:[127.0.0.1]:{self.place}", "pipe": self.place}[self.how]
        (config / "main.cf").write_text(last_of_each(f"""compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = example.org
virtual_transport = {way}
recipient_delimiter = +
alias_maps =
default_transport = discard:
mynetworks = 127.0.0.0/8
message_size_limit = 100000000
mailbox_size_limit = 0
maillog_file = {self.folder}/log
maillog_file_prefixes = {self.folder}
minimal_backoff_time = 300s
smtpd_client_restrictions =
smtp_tls_security_level = may
{self.settings}"""))
        (config / "master.cf").write_text(MASTER.format(port=self.port) + self.services)
        (self.folder / "queue").mkdir()
        got = subprocess.run(["postfix", "-c", str(config), "start"], capture_output=True, text=True, timeout=60)
        if got.returncode:
            raise RuntimeError(f"postfix: {got.stderr} {self.log()}")

    def flush(self):
        subprocess.run(["postqueue", "-c", str(self.folder / "etc"), "-f"], check=True, timeout=60)

    def stop(self):
        subprocess.run(["postfix", "-c", str(self.folder / "etc"), "stop"], capture_output=True, timeout=60)


class Unpacked(Mta):
    """Runs in mounts of its own, where /etc/passwd has the users that it was built to need."""
    users, packages, tree = (), (), ""

    def start(self):
        unpacked = unpack(*self.packages)
        if not unpacked:
            self.ready, self.why = False, "its package cannot be had"
            return
        # its own user has to reach it, which may not see where we were built
        self.tree = self.folder / "tree"
        shutil.copytree(unpacked, self.tree, symlinks=True)
        for name, line in (("passwd", "{}:x:{}:{}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{}:x:{}:\n")):
            text = pathlib.Path("/etc", name).read_text()
            for number, user in enumerate(self.users):
                if f"\n{user}:" not in text:
                    text += line.format(user, 64000 + number, 64000 + number)
            (self.folder / name).write_text(text)
        self.configure()
        script = "".join(f"mount --bind {ours} {theirs} && " for ours, theirs in
                         ((self.folder / "passwd", "/etc/passwd"), (self.folder / "group", "/etc/group"), *self.mounts()))
        with open(self.folder / "log.stderr", "w") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                                             script + "exec " + self.command()], stdout=log, stderr=log)
        time.sleep(0.3)
        if self.process.poll() is not None:
            self.ready, self.why = False, self.log()[-300:]

    def mounts(self):
        return ()

    def inside(self):
        """The process within its mounts."""
        return int(pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def stop(self):
        """Its first process goes, and all of them with it: a program that is setuid would outlive --kill-child."""
        os.kill(self.inside(), signal.SIGKILL)
        self.process.wait()


class Exim(Unpacked):
    users, packages = ("Debian-exim",), ("exim4-daemon-light",)

    def configure(self):
        spool = self.folder / "spool"
        spool.mkdir()
        os.chown(spool, 64000, 64000)
        transport = {"unix": f"driver = lmtp\n  socket = {self.place}\n  batch_max = 200\n  rcpt_include_affixes\n  user = Debian-exim\n",
                     "lmtp": f"driver = smtp\n  protocol = lmtp\n  hosts = 127.0.0.1\n  port = {self.place}\n  allow_localhost\n"
                             "  hosts_override\n  rcpt_include_affixes\n",
                     "smtp": f"driver = smtp\n  hosts = 127.0.0.1\n  port = {self.place}\n  allow_localhost\n  hosts_override\n"
                             "  tls_verify_certificates =\n"}[self.how]
        (self.folder / "exim.conf").write_text(f"""primary_hostname = exim.example
exim_path = {self.tree}/usr/sbin/exim4
spool_directory = {spool}
log_file_path = {self.folder}/spool/log.%s
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.port}
pid_file_path = {self.folder}/pid
acl_smtp_rcpt = acl_rcpt
message_size_limit = 100M
tls_advertise_hosts =
keep_environment =
smtputf8_advertise_hosts =
never_users =
begin acl
acl_rcpt:
  accept
begin routers
ours:
  driver = accept
  domains = example.org
  transport = postern
begin transports
postern:
  {transport}
begin retry
*  *  F,1d,5m
""")
        (self.folder / "exim.conf").chmod(0o644)

    def log(self):
        return "".join(path.read_text(errors="replace") for path in [*self.folder.glob("spool/log*"), *self.folder.glob("log*")]
                       if path.is_file())

    def command(self):
        return f"{self.tree}/usr/sbin/exim4 -C {self.folder}/exim.conf -bdf -q1m"

    def flush(self):
        subprocess.run(["nsenter", "--target", str(self.inside()), "--mount", f"{self.tree}/usr/sbin/exim4", "-C",
                        str(self.folder / "exim.conf"), "-qff"], check=True, timeout=60, capture_output=True)


class OpenSMTPD(Unpacked):
    users, packages = ("opensmtpd", "opensmtpq"), ("opensmtpd", "libopensmtpd0")

    def mounts(self):
        spool = self.folder / "spool"
        return ((self.folder / "libexec", "/usr/libexec"), (spool, "/var/spool"), (self.folder / "run", "/var/run"),
                (self.folder / "lib", "/var/lib"))  # it changes its root to one there

    def configure(self):
        for name in ("spool", "run", "lib", "lib/opensmtpd", "lib/opensmtpd/empty"):
            (self.folder / name).mkdir()
        (self.folder / "spool").chmod(0o711)
        shutil.copy(self.tree / "usr/sbin/smtpctl", self.folder / "smtpctl")
        os.chown(self.folder / "smtpctl", 0, 64001)
        (self.folder / "smtpctl").chmod(0o2755)
        shutil.copytree(self.tree / "usr/libexec", self.folder / "libexec")
        action = {"unix": f'lmtp "{self.place}" rcpt-to virtual <users>', "lmtp": f'lmtp "127.0.0.1:{self.place}" rcpt-to virtual <users>',
                  "smtp": f'relay host smtp://127.0.0.1:{self.place}'}[self.how]
        (self.folder / "smtpd.conf").write_text(f"""table users {{ "@" = "nobody" }}
listen on lo port {self.port} hostname opensmtpd.example
smtp max-message-size "100M"
action "in" {action}
match from any for domain "example.org" action "in"
""")
        (self.folder / "smtpd.conf").chmod(0o600)

    def command(self):
        return f"{self.tree}/usr/sbin/smtpd -dv -f {self.folder}/smtpd.conf"

    def flush(self):
        subprocess.run(["nsenter", "--target", str(self.inside()), "--mount", f"{self.folder}/smtpctl", "schedule", "all"], check=True,
                       timeout=60, capture_output=True)
