#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_thunderbird - the daily round of Thunderbird itself, headless: a new account, reading, flags and tags, folders, copies and
moves, search, sending with a copy in Sent, news while it waits, deleting, and what it finds after a pause in which others changed
things. What it shows is compared with the mail on disk, what it changed with what another client is shown. Then POP3."""
import base64
import imaplib
import shutil
import smtplib
import time

from clients import no_verify
from harness import Checks, Server, samples, wire_form
from thunderbird import Thunderbird

checks = Checks()
HASH = "$1$talk$N5L5/tTgLo/SVo/A48QuQ."  # of "secret"
LARGE = b"Subject: large\r\nFrom: a@far.example\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <large@far.example>\r\n\r\n" + \
    b"".join(b"%07d %s\r\n" % (n, b"x" * 60) for n in range(30000))
NEWS = b"Subject: %s\r\nFrom: a@far.example\r\nMessage-ID: <%s@far.example>\r\n\r\nnews\r\n"

LETTER = ("From: A user <alice@example.org>\r\nTo: bob@example.org\r\nSubject: sent by Thunderbird\r\nMIME-Version: 1.0\r\n"
          "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n.dot\r\n").encode()


def client(server, user="alice"):
    imap = imaplib.IMAP4("127.0.0.1", server.imap, timeout=60)
    imap.starttls(no_verify())
    imap.login(user, "secret")
    return imap


def subjects(imap, mailbox):
    """Of the messages, with their flags."""
    imap.select(f'"{mailbox}"', readonly=True)
    found = {}
    for line in imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]:
        if isinstance(line, tuple):
            found[line[1].strip().removeprefix(b"Subject: ").decode()] = set(imaplib.ParseFlags(line[0]))
    return found


def until(true, seconds=30):
    """Whether it becomes so."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def deliver(server, *texts):
    with smtplib.SMTP("127.0.0.1", server.port("smtp"), timeout=60) as smtp:
        for text in texts:
            smtp.sendmail("a@far.example", ["alice@example.org"], text)


# ---- the round ---------------------------------------------------------------------------------
def reads(bird, server):
    """Everything, octet by octet; the large one in pieces."""
    keys = bird.run("""await updated("INBOX"); return [...folder("INBOX").messages].map(one => one.messageKey)""")
    stored = sorted((wire_form(path.read_bytes()) for path in server.files("alice")), key=len)
    checks.check("as many messages as there are", len(keys) == len(stored), f"{len(keys)} {len(stored)}")
    got = [base64.b64decode(bird.run("""const where = folder("INBOX");
        const uri = where.getUriForMsg(where.GetMessageHeader(args[0]));
        return await new Promise((resolve, reject) => {
          let octets = "";
          MailServices.messageServiceFromURI(uri).streamMessage(uri, {
            onStartRequest() {},
            onDataAvailable(_, stream, __, count) {
              const reader = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
              reader.setInputStream(stream);
              octets += reader.readBytes(count);
            },
            onStopRequest(_, code) { code ? reject(new Error("read: " + args[0] + " 0x" + code.toString(16))) : resolve(btoa(octets)); },
            QueryInterface: ChromeUtils.generateQI(["nsIStreamListener"])}, null, null, false, "", false);
        })""", key)) for key in keys]
    got.sort(key=len)
    for mine, theirs in zip(stored, got):
        checks.check(f"a message of {len(mine)} octets", wire_form(theirs) == mine, f"{len(theirs)} {theirs[:60]!r}")


def flags(bird, imap):
    bird.run("""const where = folder("INBOX");
        where.markMessagesRead([header("INBOX", "one"), header("INBOX", "two")], true);
        where.markMessagesFlagged([header("INBOX", "two")], true);
        where.addKeywordsToMessages([header("INBOX", "three")], "$label1 work");""")
    wanted = {"one": {b"\\Seen"}, "two": {b"\\Seen", b"\\Flagged"}, "three": {b"$label1", b"work"}}
    good = until(lambda: all(flags <= subjects(imap, "INBOX").get(one, set()) for one, flags in wanted.items()), 10)
    checks.check("flags and tags", good, str(subjects(imap, "INBOX")))


def folders(bird, imap):
    bird.run("""root.createSubfolder("Arbeit", null);""")
    checks.check("a folder is made", until(lambda: b"Arbeit" in b"".join(imap.list()[1]), 10), str(imap.list()))
    bird.run("""await new Promise(resolve => { let tries = 0; const look = () => root.getChildNamed("Arbeit") || tries++ > 50 ? resolve()
        : setTimeout(look, 100); const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs"); look(); });
        folder("Arbeit").createSubfolder("Größe", null);""")
    checks.check("one below it, not ASCII", until(lambda: b"Gr&APYA3w-e" in b"".join(imap.list()[1]), 10), str(imap.list()))
    bird.run("""await copied(listener => MailServices.copy.copyMessages(folder("INBOX"), [header("INBOX", "two")], folder("Arbeit"),
        false, listener, null, false));
        await copied(listener => MailServices.copy.copyMessages(folder("INBOX"), [header("INBOX", "three")], folder("Arbeit"),
        true, listener, null, false));""")
    there = subjects(imap, "Arbeit")
    checks.check("copied and moved, with their flags", set(there) == {"two", "three"} and b"\\Flagged" in there["two"] and
                 b"work" in there["three"], str(there))
    here = subjects(imap, "INBOX")
    checks.check("only the moved one is gone here", "two" in here and ("three" not in here or b"\\Deleted" in here["three"]), str(here))


def search(bird):
    found = bird.run("""const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
        session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, folder("INBOX"));
        const term = session.createTerm(), value = term.value;
        term.attrib = Ci.nsMsgSearchAttrib.Body;
        term.op = Ci.nsMsgSearchOp.Contains;
        value.attrib = term.attrib;
        value.str = args[0];
        term.value = value;
        session.appendTerm(term);
        return await new Promise(resolve => {
          const hits = [];
          session.registerListener({ onNewSearch() {}, onSearchHit(one) { hits.push(one.mime2DecodedSubject); }, onSearchDone() { resolve(hits); },
            QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"])});
          session.search(null);
        })""", "0029999 xxx")
    checks.check("a search in bodies, by the server", found == ["large"], str(found))


def sends(bird, imap, server):
    letter = server.folder / "letter.eml"
    letter.write_bytes(LETTER)
    bird.run("""const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
        const identity = MailServices.accounts.allIdentities[0];
        const file = Cc["@mozilla.org/file/local;1"].createInstance(Ci.nsIFile);
        file.initWithPath(args[0]);
        fields.from = "A user <alice@example.org>";
        fields.to = "bob@example.org";
        fields.fcc = folder("Sent").URI;
        await new Promise((resolve, reject) => {
          const listener = { onStartSending() {}, onSendProgress() {}, onProgress() {}, onStatus() {}, onGetDraftFolderURI() {},
            onSendNotPerformed() {}, onTransportSecurityError() {}, setMessageKey() {}, getMessageId() { return null; },
            onStopSending(_, __, code, text) { if (code) reject(new Error("send: " + code + " " + text)); },
            onStartCopy() {}, onStopCopy(code) { code ? reject(new Error("Sent: " + code)) : resolve(); },
            QueryInterface: ChromeUtils.generateQI(["nsIMsgSendListener", "nsIMsgCopyServiceListener"])};
          Cc["@mozilla.org/messengercompose/send;1"].createInstance(Ci.nsIMsgSend).sendMessageFile(identity, "account1", fields, file,
            false, false, Ci.nsIMsgSend.nsMsgDeliverNow, null, listener, null, null);
        });""", str(letter))
    bob = client(server, "bob")
    got = subjects(bob, "INBOX")
    checks.check("sent: it arrived", list(got) == ["sent by Thunderbird"], str(got))
    text = bob.fetch("1", "(BODY.PEEK[TEXT])")[1][0][1]
    checks.check("sent: as it was written", text == LETTER.partition(b"\r\n\r\n")[2], repr(text))
    checks.check("sent: a copy is kept", list(subjects(imap, "Sent")) == ["sent by Thunderbird"], str(imap.list()))


def news(bird, server):
    deliver(server, NEWS % (b"while it waits", b"waits"))
    seen = until(lambda: bird.run("""return Boolean(header("INBOX", "while it waits"))"""), 20)
    checks.check("new mail is shown without asking", seen)


def deletes(bird, imap):
    bird.run("""const gone = header("INBOX", "one");
        await copied(listener => folder("INBOX").deleteMessages([gone], null, false, true, listener, false));
        await ended(listener => folder("INBOX").compact(listener, null));""")
    checks.check("deleted: it is in Trash", "one" in subjects(imap, "Trash"), str(imap.list()))
    checks.check("deleted: not here any more", "one" not in subjects(imap, "INBOX"))


def others_change(imap, server):
    deliver(server, NEWS % (b"in the pause", b"pause"))
    imap.select("INBOX")
    imap.store(imap.search(None, "SUBJECT", "two")[1][0].decode(), "+FLAGS", "(\\Answered)")
    imap.store(imap.search(None, "SUBJECT", "large")[1][0].decode(), "+FLAGS", "(\\Deleted)")
    imap.expunge()


def comes_back(bird, imap):
    shown = bird.run("""await updated("INBOX");
        return [...folder("INBOX").messages].map(one => [one.mime2DecodedSubject, one.flags])""")
    there = subjects(imap, "INBOX")
    names = {subject for subject, _ in shown}
    checks.check("after a pause: what came and what went", "in the pause" in names and "large" not in names and len(shown) == len(
        imap.search(None, "ALL")[1][0].split()), f"{sorted(names)} {sorted(there)}")
    checks.check("after a pause: an answered one", any(subject == "two" and flags & 2 for subject, flags in shown), str(shown))


def whole_round(server):
    server.fill("alice", samples())
    deliver(server, LARGE, *(NEWS % (one, one) for one in (b"one", b"two", b"three")))
    imap = client(server)
    certificate = base64.b64encode(imap.sock.getpeercert(True)).decode()
    with Thunderbird("alice", server.imap, server.port("submission")) as bird:
        bird.set_up("secret", certificate)
        bird.start()
        checks.check("the folders are found", until(lambda: bird.run("return root.descendants.length") == 5))
        for step, arguments in ((reads, (bird, server)), (flags, (bird, imap)), (folders, (bird, imap)), (search, (bird,)),
                                (sends, (bird, imap, server)), (news, (bird, server)), (deletes, (bird, imap))):
            checks.run(step.__name__, step, *arguments)
        bird.stop()
        others_change(imap, server)
        bird.start()
        checks.run("comes_back", comes_back, bird, imap)
    imap.logout()


# ---- POP3 --------------------------------------------------------------------------------------
def fetched(bird):
    """Gets what is new; the subjects of all that is there."""
    return bird.run("""await ended(listener => server.getNewMessages(folder("Inbox"), null, listener));
        return [...folder("Inbox").messages].map(one => one.mime2DecodedSubject)""")


def pop3(server):
    """What is fetched stays on the server, is not fetched again, and goes when it is deleted."""
    server.fill("alice", samples() + [("one", NEWS % (b"one", b"one"))])
    count = len(server.files("alice"))
    imap = client(server)
    certificate = base64.b64encode(imap.sock.getpeercert(True)).decode()
    imap.logout()
    with Thunderbird("alice", server.plain, server.port("submission"), "pop3") as bird:
        bird.set_up("secret", certificate)
        bird.start()
        got = fetched(bird)
        checks.check("POP3: all are there", len(got) == count and "one" in got, f"{len(got)} {count}")
        checks.check("POP3: and stay here", len(server.files("alice")) == count)
        deliver(server, NEWS % (b"new", b"new"))
        got = fetched(bird)
        checks.check("POP3: only what is new comes", len(got) == count + 1 and got[-1] == "new", f"{len(got)} {got[-1:]}")
        bird.run("""await copied(listener => folder("Inbox").deleteMessages([header("Inbox", "one")], null, true, false, listener, false));""")
        fetched(bird)
        left = [path.read_bytes() for path in server.files("alice")]
        checks.check("POP3: what is deleted goes here, too", len(left) == count and not any(b"Subject: one\r" in one for one in left),
                     str(len(left)))


def main():
    if not shutil.which("thunderbird"):
        checks.skip("no Thunderbird here")
        checks.finish()
    server = Server(settings=['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {"127.0.0.1:0"}',
                              'submission_listen_tls = {}', "lmtp_listen = {}",
                              'special_mailboxes = {"Drafts", "Junk", "Sent", "Trash"}'], users=(), users_text=f"alice:{HASH}\nbob:{HASH}\n")
    try:
        checks.run("the round", whole_round, server)
        checks.run("POP3", pop3, server)
    finally:
        checks.check("the server ends well", server.stop() == 0, "".join(server.log[-5:]))
    checks.finish()


main()
