#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""imap_clients - real IMAP clients against `postern serve`: curl, Mail::IMAPClient, Ruby's net/imap, mbsync and offlineimap both
ways, fetchmail, getmail, imapfilter, mutt and neomutt, imapflow. What they got is compared with the mail on disk, what they
changed with what is there then."""
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Checks, Server, samples, wire_form  # noqa: E402
from clients import PROPER, check_getmail, check_mutt, compare_delivered, folder_of, npm  # noqa: E402

checks = Checks()
SAMPLES = samples()
WIRE = [wire_form(data) for _, data in SAMPLES]


# ---- curl --------------------------------------------------------------------------------------
def curl(server, name, scheme, port, *options):
    base = ["curl", "-sS", "--max-time", "60", "-k", "-u", "alice:secret", *options]
    with tempfile.TemporaryDirectory() as out:
        urls = [part for n in range(len(WIRE))
                for part in ("-o", f"{out}/{n + 1}", f"{scheme}://127.0.0.1:{port}/INBOX;UID={n + 1}")]
        subprocess.run([*base, *urls], check=True)
        for number, wire in enumerate(WIRE):
            checks.check(f"curl {name}: message {number + 1} ({SAMPLES[number][0]})",
                         pathlib.Path(f"{out}/{number + 1}").read_bytes() == wire)


def test_curl(server):
    server.fill("alice", SAMPLES)
    curl(server, "plain", "imap", server.imap)
    curl(server, "STARTTLS", "imap", server.imap, "--ssl-reqd")
    curl(server, "TLS", "imaps", server.imaps)
    curl(server, "LOGIN", "imap", server.imap, "--login-options", "AUTH=LOGIN")
    curl(server, "PLAIN", "imaps", server.imaps, "--login-options", "AUTH=PLAIN")
    with tempfile.NamedTemporaryFile() as mail:
        mail.write(b"Subject: by curl\r\n\r\nbody\r\n")
        mail.flush()
        subprocess.run(["curl", "-sS", "-k", "-u", "alice:secret", "-T", mail.name, f"imaps://127.0.0.1:{server.imaps}/INBOX"],
                       check=True)
    checks.check("curl APPEND", len(server.files("alice")) == len(SAMPLES) + 1)


# ---- two that synchronise ----------------------------------------------------------------------
# mbsync skips a header without an empty line, offlineimap writes multiparts anew
SYNCED = [(name, data) for name, data in PROPER if name not in ("05-header-only", "30-unclosed-multipart")]


def contents(folder):
    """Of a Maildir: header and body of each message without what a synchroniser adds, and the last line's end."""
    return sorted(re.sub(rb"(?mi)^X-(TUID|OfflineIMAP)[^\n]*\n", b"", path.read_bytes().replace(b"\r\n", b"\n")).rstrip(b"\n")
                  for sub in ("cur", "new") for path in pathlib.Path(folder, sub).iterdir())


def by_owner(server):
    return contents(server.mail / "alice")


def synchronised(name, server, work, command, env):
    """Down, up, flags, deletion; and nothing moves when there is nothing to do."""
    local = pathlib.Path(work, "local/INBOX")

    def run(what):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=180)
        checks.check(f"{name}: {what}", done.returncode == 0, (done.stdout + done.stderr)[-600:])
        return done

    run("first")
    checks.check(f"{name}: all came down", contents(local) == by_owner(server),
                 f"{len(contents(local))} of {len(by_owner(server))}")
    before = sorted(path.name for path in server.files("alice"))
    run("second")
    checks.check(f"{name}: nothing moved", sorted(path.name for path in server.files("alice")) == before)
    (local / "new/1.local.test").write_bytes(b"Subject: from here\nMessage-ID: <here@test>\nFrom: a@b\n\nbody\n")
    gone = next(path for path in sorted((local / "cur").iterdir()) + sorted((local / "new").iterdir())
                if b"Welcome to Postern" in path.read_bytes())
    gone.unlink()
    run("both ways")
    there = by_owner(server)
    checks.check(f"{name}: one went up", any(b"Subject: from here" in each for each in there))
    checks.check(f"{name}: one was deleted there", not any(b"Welcome to Postern" in each for each in there))
    checks.check(f"{name}: the same on both sides", contents(local) == there)


def test_mbsync(server):
    server.fill("alice", SYNCED)
    with tempfile.TemporaryDirectory() as work:
        os.makedirs(f"{work}/local")
        pathlib.Path(work, "pem").write_text(ssl.get_server_certificate(("127.0.0.1", server.imaps)))
        pathlib.Path(work, "mbsyncrc").write_text(
            f"IMAPAccount there\nHost localhost\nPort {server.imaps}\nUser alice\nPass secret\nSSLType IMAPS\n"
            f"CertificateFile {work}/pem\nAuthMechs PLAIN\n\nIMAPStore far\nAccount there\n\nMaildirStore near\nPath {work}/local/\n"
            f"Inbox {work}/local/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Both\n"
            "Expunge Both\nSync All\nSyncState *\n")
        synchronised("mbsync", server, work, ["mbsync", "-c", f"{work}/mbsyncrc", "-a"], dict(os.environ, HOME=work))


def test_offlineimap(server):
    server.fill("alice", SYNCED)
    with tempfile.TemporaryDirectory() as work:
        os.makedirs(f"{work}/local")
        pathlib.Path(work, "rc").write_text(
            f"[general]\naccounts = a\nmetadata = {work}/meta\nui = quiet\n[Account a]\nlocalrepository = l\n"
            f"remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = {work}/local\n[Repository r]\ntype = IMAP\n"
            f"remotehost = 127.0.0.1\nremoteport = {server.imap}\nremoteuser = alice\nremotepass = secret\nssl = no\n"
            "starttls = no\nauth_mechanisms = PLAIN\n")
        synchronised("offlineimap", server, work, ["offlineimap", "-c", f"{work}/rc", "-o"], dict(os.environ, HOME=work))


# ---- two that fetch ----------------------------------------------------------------------------
def test_fetchmail(server):
    for name, port, options in (("plain", server.imap, "sslproto ''"), ("starttls", server.imap, "sslproto 'TLS1.2+' no sslcertck"),
                                ("tls", server.imaps, "ssl no sslcertck")):
        server.fill("alice", PROPER)
        with tempfile.TemporaryDirectory() as work:
            os.makedirs(f"{work}/out")
            conf = pathlib.Path(work, "fetchmailrc")
            conf.write_text(f"poll 127.0.0.1 protocol IMAP port {port}\n  user alice password secret {options}\n"
                            f"  no keep no rewrite fetchall\n  mda \"sh -c 'cat > {work}/out/$$'\"\n")
            conf.chmod(0o600)
            got = subprocess.run(["fetchmail", "-s", "-f", str(conf), "--pidfile", f"{work}/pid"],
                                 env=dict(os.environ, FETCHMAILHOME=work, HOME=work), capture_output=True, text=True, timeout=120)
            checks.check(f"fetchmail {name}: exit", got.returncode == 0, got.stderr)
            compare_delivered(checks, f"fetchmail {name}", PROPER, folder_of(f"{work}/out"), breaks_long_lines=True)
        checks.check(f"fetchmail {name}: deleted", not server.files("alice"))


def test_getmail(server):
    check_getmail(checks, server, "plain", "SimpleIMAPRetriever", server.imap)
    check_getmail(checks, server, "tls", "SimpleIMAPSSLRetriever", server.imaps)


# ---- scripts in other languages ----------------------------------------------------------------
PERL = r"""
use Mail::IMAPClient; use strict;
my ($port, $out) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => "127.0.0.1", Port => $port, User => "alice", Password => "secret", Uid => 1)
    or die "no login: $@";
$imap->select("INBOX") or die $imap->LastError;
for my $uid ($imap->messages) { open my $file, ">", "$out/$uid" or die; print $file $imap->message_string($uid); }
$imap->create("Perl") or die $imap->LastError;
my @found = $imap->search(HEADER => Subject => \$imap->Quote("welcome")) or die "not found";
$imap->move("Perl", \@found) or die $imap->LastError;
$imap->select("Perl") or die; my @moved = $imap->messages; print scalar(@moved), "\n";
my $structure = $imap->get_bodystructure($moved[0]) or die "no structure"; print $structure->bodytype, "\n";
$imap->logout;
"""
RUBY = r"""
require "net/imap"
imap = Net::IMAP.new("127.0.0.1", port: ARGV[0].to_i)
imap.login("alice", "secret")
imap.select("INBOX")
imap.uid_fetch(1..-1, ["UID", "BODY.PEEK[]", "ENVELOPE", "BODYSTRUCTURE"]).each do |one|
  File.binwrite("#{ARGV[1]}/#{one.attr["UID"]}", one.attr["BODY[]"])
end
imap.store(1, "+FLAGS", [:Flagged, "ruby"])
puts imap.search(["FLAGGED", "KEYWORD", "ruby"]).inspect
puts imap.status("INBOX", ["MESSAGES", "UIDNEXT"]).keys.sort.inspect
imap.logout
"""


def fetched(name, out):
    for number, wire in enumerate(WIRE, 1):
        path = pathlib.Path(out, str(number))
        checks.check(f"{name}: message {number}", path.exists() and path.read_bytes() == wire)


def test_perl(server):
    server.fill("alice", SAMPLES)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["perl", "-e", PERL, str(server.imap), out], capture_output=True, text=True, timeout=120)
        checks.check("Mail::IMAPClient: exit", got.returncode == 0, got.stderr)
        checks.check("Mail::IMAPClient: moved", got.stdout.split() == ["1", "TEXT"], got.stdout)
        fetched("Mail::IMAPClient", out)


def test_ruby(server):
    server.fill("alice", SAMPLES)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["ruby", "-e", RUBY, str(server.imap), out], capture_output=True, text=True, timeout=120)
        checks.check("net/imap: exit", got.returncode == 0, got.stderr)
        checks.check("net/imap: search and status", got.stdout.split("\n")[:2] == ["[1]", '["MESSAGES", "UIDNEXT"]'], got.stdout)
        fetched("net/imap", out)


IMAPFLOW = "imapflow@1.0.188"
NODE = r"""
import { ImapFlow } from "imapflow";
import fs from "fs";
const [port, out] = process.argv.slice(2);
const client = new ImapFlow({ host: "127.0.0.1", port: Number(port), secure: true, tls: { rejectUnauthorized: false },
    auth: { user: "alice", pass: "secret" }, logger: false, qresync: true });
await client.connect();
let lock = await client.getMailboxLock("INBOX");
for await (const message of client.fetch("1:*", { uid: true, source: true, envelope: true, bodyStructure: true, flags: true }))
    fs.writeFileSync(`${out}/${message.uid}`, message.source);
await client.messageFlagsAdd({ uid: "2" }, ["\\Seen", "node"], { uid: true });
const seen = await client.search({ seen: true, keyword: "node" }, { uid: true });
await client.mailboxCreate("Node/Below");
await client.append("Node/Below", "Subject: by node\r\n\r\nbody\r\n", ["\\Seen"]);
const moved = await client.messageMove("2", "Node/Below", { uid: true });
lock.release();
const status = await client.status("Node/Below", { messages: true, uidNext: true, highestModseq: true });
console.log(JSON.stringify([seen, status.messages, moved.uidMap.get(2), client.enabled.has("QRESYNC"),
    (await client.list()).map(box => box.path).sort()]));
await client.logout();
"""


def test_imapflow(server):
    folder = npm(IMAPFLOW)
    server.fill("alice", SAMPLES)
    (folder / "imap.mjs").write_text(NODE)
    with tempfile.TemporaryDirectory() as out:
        got = subprocess.run(["node", str(folder / "imap.mjs"), str(server.imaps), out], capture_output=True, text=True, timeout=120)
        checks.check("imapflow: exit", got.returncode == 0, got.stderr[-600:])
        checks.check("imapflow: what it found", got.stdout.strip() == '[[2],2,2,true,["INBOX","Node","Node/Below"]]', got.stdout)
        fetched("imapflow", out)


# ---- imapfilter, mutt --------------------------------------------------------------------------
def test_imapfilter(server):
    server.fill("alice", PROPER)
    with tempfile.TemporaryDirectory() as work:
        pathlib.Path(work, "config.lua").write_text(
            f"options.timeout = 60\noptions.create = true\noptions.starttls = false\na = IMAP {{ server = '127.0.0.1', port = {server.imap}, username = 'alice',"
            " password = 'secret' }\nr = a.INBOX:contain_subject('Welcome')\nr:move_messages(a['Filed'])\n"
            "print('moved ' .. #r)\na.INBOX:is_unseen():mark_flagged()\n")
        got = subprocess.run(["imapfilter", "-c", f"{work}/config.lua"], capture_output=True, text=True, timeout=120,
                             env=dict(os.environ, HOME=work))
        checks.check("imapfilter: exit", got.returncode == 0 and "moved 1" in got.stdout, got.stdout + got.stderr)
    filed = list((server.mail / "alice/.Filed").glob("*/*"))
    checks.check("imapfilter: filed", sum("postern" not in str(path.parent.name) for path in filed) == 1, filed)
    checks.check("imapfilter: flagged", all(path.name.endswith("F") for path in server.files("alice")),
                 [path.name for path in server.files("alice")][:3])


def test_mutt(server):
    check_mutt(checks, server, "imap", "mutt", f"imap://alice@127.0.0.1:{server.imap}/INBOX", ["ssl_starttls=no", "imap_authenticators=login"])
    check_mutt(checks, server, "imap", "mutt", f"imaps://alice@127.0.0.1:{server.imaps}/INBOX", [])
    check_mutt(checks, server, "imap", "neomutt", f"imap://alice@127.0.0.1:{server.imap}/INBOX", ["ssl_starttls=yes", "ssl_force_tls=yes"])


checks.run_each(Server, globals())
