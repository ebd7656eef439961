# SPDX-License-Identifier: MIT
"""clients - what the tests with real clients share."""
import os
import pathlib
import pty
import select
import ssl
import subprocess
import tempfile
import time

from harness import BUILD, samples

NOBODY = 65534
# clients that parse and rewrite headers get the messages that have proper ones
PROPER = [(name, data) for name, data in samples()
          if data[:200].split(b":")[0].isascii() and b"\nFrom:" in b"\n" + data.replace(b"\r\n", b"\n").split(b"\n\n")[0]
          and b"\0" not in data and b"\r" not in data.replace(b"\r\n", b"\n")]


def no_verify():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def lines_of(data):
    return data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")


def contains(delivered, source):
    """source stands in what was delivered: its body at the end, its header lines in order (a client
    adds lines of its own to the header, and may fold or drop Return-Path)."""
    ours, theirs = lines_of(source), lines_of(delivered)
    split = ours.index(b"") if b"" in ours else len(ours)
    body = ours[split + 1:]
    if body and theirs[-len(body):] != body:
        return False
    left = iter(theirs)
    return all(line in left for line in ours[:split] if not line.lower().startswith((b"return-path:", b"status:")))


def compare_delivered(checks, client, wanted, outputs, breaks_long_lines=False, rewrites=()):
    checks.check(f"{client}: as many messages", len(outputs) == len(wanted), f"{len(outputs)} of {len(wanted)}")
    for name, data in wanted:
        if breaks_long_lines and max(map(len, lines_of(data))) > 998:
            continue
        if name in rewrites or data.split(b"\n\n")[0].translate(None, bytes(range(128))):
            continue
        checks.check(f"{client}: {name}", any(contains(out, data) for out in outputs))


def folder_of(out):
    return [path.read_bytes() for path in sorted(pathlib.Path(out).rglob("*")) if path.is_file()]


def on_terminal(command, seconds, env):
    """Run a terminal program to its end, or for so long; what it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, env)
    until, output, ended = time.monotonic() + seconds, b"", False
    while not ended and time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                output += os.read(terminal, 65536)
            except OSError:
                break
        ended = os.waitpid(pid, os.WNOHANG)[0] != 0
    if not ended:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    os.close(terminal)
    return output


def check_mutt(checks, server, protocol, program, url, settings):
    """mutt or neomutt, over "pop" or "imap": tag all, copy all into a Maildir."""
    server.fill("alice", PROPER)
    with tempfile.TemporaryDirectory() as work:
        pathlib.Path(work, "pem").write_text(ssl.get_server_certificate(("127.0.0.1", server.tls if protocol == "pop" else server.imaps)))
        lines = [f"{protocol}_user=alice", f"{protocol}_pass=secret", "confirmappend=no", "confirmcreate=no", "quit=yes", "delete=no",
                 "wait_key=no", "mbox_type=Maildir", f"tmpdir={work}", f"folder={work}", "copy=no", "ssl_verify_host=no",
                 f"certificate_file={work}/pem", *settings]
        pathlib.Path(work, "muttrc").write_text(
            "".join(f"set {line}\n" for line in lines)
            + f'macro index X "<tag-pattern>~A<enter><tag-prefix><copy-message>{work}/copy<enter><quit>"\npush "X"\n')
        shown = on_terminal([program, "-n", "-F", f"{work}/muttrc", "-f", url], 60, dict(os.environ, HOME=work, TERM="xterm"))
        got = folder_of(f"{work}/copy")
        if not got:
            print(shown[-800:])
        compare_delivered(checks, f"{program} {url.split(':')[0]}", PROPER, got)


def getmail_in(work, kind, port):
    """One run that delivers into work/mail. It delivers for nobody but ordinary users."""
    for sub in ("cur", "new", "tmp"):
        os.makedirs(f"{work}/mail/{sub}")
    pathlib.Path(work, "getmailrc").write_text(
        f"[retriever]\ntype = {kind}\nserver = 127.0.0.1\nport = {port}\nusername = alice\npassword = secret\n"
        f"[destination]\ntype = Maildir\npath = {work}/mail/\n[options]\nread_all = false\ndelete = true\n"
        "delivered_to = false\nreceived = false\n")
    how = {}
    if os.geteuid() == 0:
        for path in [pathlib.Path(work), *pathlib.Path(work).rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        how = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return subprocess.run(["getmail", "-q", f"--getmaildir={work}"], capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, HOME=work), **how)


def check_getmail(checks, server, name, kind, port):
    """getmail fetches and deletes all. It waits for its children under a lock that its SIGCHLD handler takes too: a
    child that ends at once leaves it standing for ever, about one run in fifty on a busy machine. Those are begun anew."""
    for left in reversed(range(5)):
        server.fill("alice", PROPER)
        with tempfile.TemporaryDirectory() as work:
            try:
                got = getmail_in(work, kind, port)
            except subprocess.TimeoutExpired:
                if not left:
                    raise
                continue
            checks.check(f"getmail {name}: exit", got.returncode == 0, got.stderr + got.stdout)
            # it parses and writes anew: folds long headers, closes multiparts
            compare_delivered(checks, f"getmail {name}", PROPER, folder_of(f"{work}/mail"),
                              rewrites=("16-many-recipients", "30-unclosed-multipart"))
        break
    checks.check(f"getmail {name}: deleted", not server.files("alice"))


def npm(package):
    """The folder where a package is installed, once."""
    folder = BUILD / "npm"
    if not (folder / "node_modules" / package.split("@")[0]).exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), package],
                       check=True, timeout=300, stdout=subprocess.DEVNULL)
    return folder
