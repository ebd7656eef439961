#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""clients - real POP3 clients against the real server: each fetches the sample mail over plain TCP,
STLS and implicit TLS, with the logins it knows, and every byte is compared with the source; then
deleting and leave-on-server by unique-id where the client can."""
import os
import pathlib
import poplib
import re
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import Checks, Server, samples, wire_form  # noqa: E402
from clients import PROPER, check_getmail, check_mutt, compare_delivered, folder_of, no_verify, npm  # noqa: E402

checks = Checks()
poplib._MAXLINE = 1 << 20  # the samples have longer lines than it takes by itself
SAMPLES = samples()
WIRE = [wire_form(data) for _, data in SAMPLES]
# a header with raw UTF-8 is replaced for a client that did not say UTF8 (R87), so only its presence is compared
RAW_HEADER = [bool(w.split(b"\r\n\r\n")[0].strip(b"\r\n").decode("latin-1").encode("latin-1").translate(
    None, bytes(range(128)))) for w in WIRE]


def compare(client, number, got):
    if RAW_HEADER[number]:
        checks.check(f"{client}: message {number + 1} has no raw UTF-8 header",
                     not got.split(b"\r\n\r\n")[0].translate(None, bytes(range(128))))
        return
    checks.check(f"{client}: message {number + 1} ({SAMPLES[number][0]})", got == WIRE[number],
                 f"{len(got)} octets, want {len(WIRE[number])}")


# ---- curl ------------------------------------------------------------------------------------
def curl(server, name, scheme, port, *options):
    base = ["curl", "-sS", "--max-time", "60", "-k", "-u", "alice:secret", *options]
    listing = subprocess.run([*base, f"{scheme}://127.0.0.1:{port}/"], capture_output=True, check=True).stdout
    sizes = [int(line.split()[1]) for line in listing.split(b"\r\n") if line]
    checks.check(f"curl {name}: sizes", sizes == [len(w) for w in WIRE])
    with tempfile.TemporaryDirectory() as out:
        urls = [part for n in range(len(WIRE)) for part in ("-o", f"{out}/{n + 1}", f"{scheme}://127.0.0.1:{port}/{n + 1}")]
        subprocess.run([*base, *urls], check=True)
        for number in range(len(WIRE)):
            compare(f"curl {name}", number, pathlib.Path(f"{out}/{number + 1}").read_bytes())


def test_curl(server):
    server.fill("alice", SAMPLES)
    curl(server, "plain", "pop3", server.plain)
    curl(server, "STLS", "pop3", server.plain, "--ssl-reqd")
    curl(server, "TLS", "pop3s", server.tls)
    curl(server, "APOP", "pop3", server.plain, "--login-options", "AUTH=+APOP")
    curl(server, "SASL PLAIN", "pop3", server.plain, "--login-options", "AUTH=PLAIN")
    curl(server, "SASL LOGIN", "pop3", server.plain, "--login-options", "AUTH=LOGIN")
    subprocess.run(["curl", "-sS", "-k", "-u", "alice:secret", "-X", "DELE 1", "-I", f"pop3s://127.0.0.1:{server.tls}/"],
                   check=True)
    checks.check("curl DELE", len(server.files("alice")) == len(SAMPLES) - 1)


# ---- Python poplib ---------------------------------------------------------------------------
def poplib_fetch(name, connection, login):
    login(connection)
    for number in range(len(WIRE)):
        _, lines, _ = connection.retr(number + 1)
        compare(f"poplib {name}", number, b"".join(line + b"\r\n" for line in lines))
    connection.quit()


def test_poplib(server):
    def user_pass(connection):
        connection.user("alice")
        connection.pass_("secret")

    server.fill("alice", SAMPLES)
    poplib_fetch("plain", poplib.POP3("127.0.0.1", server.plain, timeout=30), user_pass)
    poplib_fetch("APOP", poplib.POP3("127.0.0.1", server.plain, timeout=30), lambda c: c.apop("alice", "secret"))
    poplib_fetch("TLS", poplib.POP3_SSL("127.0.0.1", server.tls, context=no_verify(), timeout=30), user_pass)
    connection = poplib.POP3("127.0.0.1", server.plain, timeout=30)
    connection.stls(no_verify())
    poplib_fetch("STLS", connection, user_pass)
    connection = poplib.POP3("127.0.0.1", server.plain, timeout=30)
    connection.utf8()
    connection.user("alice")
    connection.pass_("secret")
    for number in range(len(WIRE)):
        lines = connection.retr(number + 1)[1]
        checks.check(f"poplib UTF8: message {number + 1}", b"".join(l + b"\r\n" for l in lines) == WIRE[number])
    uids = [line.split()[1] for line in connection.uidl()[1]]
    for number in (2, 4):
        connection.dele(number)
    connection.quit()
    connection = poplib.POP3("127.0.0.1", server.plain, timeout=30)
    user_pass(connection)
    left = [line.split()[1] for line in connection.uidl()[1]]
    checks.check("poplib: unique-ids stay", left == [u for i, u in enumerate(uids, 1) if i not in (2, 4)])
    connection.quit()


# ---- Perl Net::POP3 --------------------------------------------------------------------------
PERL = r'''
use strict; use Net::POP3; use IO::Socket::SSL;
my ($plain, $tls, $how, $out) = @ARGV;
my %ssl = (SSL_verify_mode => SSL_VERIFY_NONE);
my $pop = $how eq "tls" ? Net::POP3->new("127.0.0.1", Port => $tls, SSL => 1, Timeout => 30, %ssl)
    : Net::POP3->new("127.0.0.1", Port => $plain, Timeout => 30) or die "connect";
$pop->starttls(%ssl) or die "starttls" if $how eq "stls";
my $count = $how eq "apop" ? $pop->apop("alice", "secret") : $how eq "sasl" ? $pop->auth("alice", "secret") && ($pop->popstat)[0]
    : $pop->login("alice", "secret");
defined $count or die "login: " . $pop->message;
for my $n (1 .. $count) {
    my $lines = $pop->get($n) or die "get $n";
    open my $fh, ">:raw", "$out/$n" or die; print $fh @$lines; close $fh;
}
$pop->delete(1) if $how eq "tls";
$pop->quit or die "quit";
'''


def test_perl(server):
    server.fill("alice", SAMPLES)
    for how in ("plain", "stls", "apop", "sasl", "tls"):
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(["perl", "-e", PERL, str(server.plain), str(server.tls), how, out], check=True, timeout=120)
            for number in range(len(WIRE)):
                got = wire_form(pathlib.Path(f"{out}/{number + 1}").read_bytes())
                compare(f"Net::POP3 {how}", number, got)
    checks.check("Net::POP3: delete", len(server.files("alice")) == len(SAMPLES) - 1)


# ---- clients that deliver to a command or folder: mpop, fetchmail, getmail6, mutt ----------------------------------
def test_mpop(server):
    modes = [("plain", server.plain, "auth user\ntls off"), ("apop", server.plain, "auth apop\ntls off"),
             ("stls", server.plain, "auth plain\ntls on\ntls_starttls on\ntls_certcheck off"),
             ("scram", server.tls, "auth scram-sha-256\ntls on\ntls_starttls off\ntls_certcheck off"),
             ("tls", server.tls, "auth user\ntls on\ntls_starttls off\ntls_certcheck off")]
    for name, port, lines in modes:
        server.fill("alice", PROPER)
        with tempfile.TemporaryDirectory() as work:
            for sub in ("cur", "new", "tmp"):
                os.makedirs(f"{work}/mail/{sub}")
            conf = pathlib.Path(work, "mpoprc")
            conf.write_text(f"account default\nhost 127.0.0.1\nport {port}\nuser alice\npassword secret\n{lines}\n"
                            f"delivery maildir {work}/mail\nuidls_file {work}/uidls\nkeep on\n")
            conf.chmod(0o600)
            command = ["mpop", "-q", "-C", str(conf)]
            got = subprocess.run(command, capture_output=True, text=True, timeout=120)
            if name == "scram" and "not supported" in got.stderr + got.stdout:
                checks.skipped += 1
                continue
            checks.check(f"mpop {name}: exit", got.returncode == 0, got.stderr)
            compare_delivered(checks, f"mpop {name}", PROPER, folder_of(f"{work}/mail"))
            again = subprocess.run(command, capture_output=True, timeout=120)
            checks.check(f"mpop {name}: leave on server, nothing twice", again.returncode == 0
                         and len(folder_of(f"{work}/mail")) == len(PROPER))
    checks.check("mpop: all kept", len(server.files("alice")) == len(PROPER))


def test_fetchmail(server):
    for name, port, options in (("plain", server.plain, "sslproto ''"), ("stls", server.plain, "sslproto 'TLS1.2+' no sslcertck"),
                                ("tls", server.tls, "ssl no sslcertck")):
        server.fill("alice", PROPER)
        with tempfile.TemporaryDirectory() as work:
            os.makedirs(f"{work}/out")
            conf = pathlib.Path(work, "fetchmailrc")
            conf.write_text(f"poll 127.0.0.1 protocol POP3 port {port} uidl\n  user alice password secret {options}\n"
                            f"  keep no rewrite\n  mda \"sh -c 'cat > {work}/out/$$'\"\n")
            conf.chmod(0o600)
            env = dict(os.environ, FETCHMAILHOME=work, HOME=work)
            command = ["fetchmail", "-s", "-f", str(conf), "--idfile", f"{work}/ids", "--pidfile", f"{work}/pid"]
            got = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)
            checks.check(f"fetchmail {name}: exit", got.returncode == 0, got.stderr)
            compare_delivered(checks, f"fetchmail {name}", PROPER, folder_of(f"{work}/out"), breaks_long_lines=True)
            again = subprocess.run(command, env=env, capture_output=True, timeout=120)
            checks.check(f"fetchmail {name}: nothing new the second time", again.returncode == 1)


def test_getmail(server):
    check_getmail(checks, server, "plain", "SimplePOP3Retriever", server.plain)
    check_getmail(checks, server, "tls", "SimplePOP3SSLRetriever", server.tls)


def test_mutt(server):
    check_mutt(checks, server, "pop", "mutt", f"pop://alice@127.0.0.1:{server.plain}/", ["ssl_starttls=no", "pop_authenticators=user"])
    check_mutt(checks, server, "pop", "mutt", f"pops://alice@127.0.0.1:{server.tls}/", [])
    check_mutt(checks, server, "pop", "neomutt", f"pop://alice@127.0.0.1:{server.plain}/", ["ssl_starttls=yes", "ssl_force_tls=yes"])


# ---- an npm client -----------------------------------------------------------------------------
NODE_POP3 = "node-pop3@0.11.0"
NODE = r"""
import Pop3 from "node-pop3";
import fs from "fs";
const [plain, tls, how, out] = process.argv.slice(2);
const pop3 = new Pop3({ user: "alice", password: "secret", host: "127.0.0.1", servername: "localhost", timeout: 30000,
    port: Number(how === "tls" ? tls : plain), tls: how === "tls", tlsOptions: { rejectUnauthorized: false } });
for (const [number, size] of await pop3.LIST())
    if (Number(size) < 60000)
        fs.writeFileSync(`${out}/${number}`, await pop3.RETR(number));
if (how === "tls")
    await pop3.DELE(1);
await pop3.QUIT();
"""


def ascii_of(data):
    return data.decode("utf-8", "replace").encode("ascii", "ignore")


def test_node(server):
    """It decodes what it gets as UTF-8, leaves dots stuffed and drops the last CRLF; of a long message it can miss the
    end when a packet ends in the middle of it. So: short ones, ASCII compared."""
    folder = npm(NODE_POP3)
    server.fill("alice", SAMPLES)
    script = folder / "fetch.mjs"
    script.write_text(NODE)
    for how in ("plain", "tls"):
        with tempfile.TemporaryDirectory() as out:
            subprocess.run(["node", str(script), str(server.plain), str(server.tls), how, out], check=True, timeout=120)
            for number, wire in enumerate(WIRE):
                if len(wire) >= 60000 or RAW_HEADER[number]:
                    continue
                path = pathlib.Path(f"{out}/{number + 1}")
                want = re.sub(rb"(?m)^\.", b"..", wire)[:-2]
                checks.check(f"node-pop3 {how}: message {number + 1}", path.exists()
                             and ascii_of(path.read_bytes()) == ascii_of(want))
    checks.check("node-pop3: deleted", len(server.files("alice")) == len(SAMPLES) - 1)


checks.check("there are samples", len(SAMPLES) >= 20 and len(PROPER) >= 10)
checks.run_with(Server(), globals())
