# SPDX-License-Identifier: MIT
"""streams - eight LMTP senders that note what was answered with 250, and what became of it."""
import hashlib
import poplib
import random
import socket
import threading

STREAMS = 8
HASH = "$1$talk$N5L5/tTgLo/SVo/A48QuQ."  # of "secret"
SETTINGS = ['domains = {"example.org"}', 'smtp_listen = {"127.0.0.1:0"}', 'submission_listen = {}', 'submission_listen_tls = {}',
            'lmtp_listen = {"127.0.0.1:0"}', "disk_reserve_mb = 0"]
PEOPLE = range(3)
USERS = "".join(f"u{i}:{HASH}\n" for i in PEOPLE)


def message(number, most=12000):
    text = random.Random(number).randbytes(random.Random(number).randrange(20, most)).hex().encode()
    lines = b"\r\n".join(text[i:i + 72] for i in range(0, len(text), 72))
    return b"Subject: %d\r\nX-Sum: %s\r\n\r\n%s\r\n" % (number, hashlib.sha1(lines).hexdigest().encode(), lines)


class Stream(threading.Thread):
    """Sends until the server is gone; notes what was accepted, by user."""

    def __init__(self, port, numbers, most=12000):
        super().__init__(daemon=True)
        self.port, self.numbers, self.most, self.kept = port, numbers, most, []
        self.may_send, self.is_still = threading.Event(), threading.Event()
        self.may_send.set()

    def hold(self):
        """No more until release(); all that was sent has been answered."""
        self.is_still.clear()
        self.may_send.clear()
        self.is_still.wait(20)

    def release(self):
        self.may_send.set()

    def wait_for_leave(self):
        if not self.may_send.is_set():
            self.is_still.set()
            self.may_send.wait()

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=20) as sock:
                reader = sock.makefile("rb")
                reader.readline()
                sock.sendall(b"LHLO x\r\n")
                while reader.readline()[3:4] == b"-":
                    pass
                for number in self.numbers:
                    self.wait_for_leave()
                    users = random.sample(PEOPLE, random.randrange(1, 4))
                    sock.sendall(b"MAIL FROM:<a@b.example>\r\n" + b"".join(b"RCPT TO:<u%d@example.org>\r\n" % u for u in users) +
                                 b"DATA\r\n" + message(number, self.most) + b".\r\n")
                    for _ in range(2 + len(users)):
                        reader.readline()
                    for user in users:
                        if reader.readline().startswith(b"250 "):
                            self.kept.append((number, user))
        except OSError:
            pass


def stored(mail, user):
    """The numbers of the messages of a user, and the files that are no whole message."""
    numbers, broken = [], []
    for sub in ("cur", "new"):
        for path in (mail / user / sub).glob("*"):
            head, _, body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in head.split(b"\n") if b": " in line and not line.startswith(b"\t"))
            found = hashlib.sha1(body.removesuffix(b"\n").replace(b"\n", b"\r\n")).hexdigest().encode()
            if found == fields.get(b"X-Sum"):
                numbers.append(int(fields[b"Subject"]))
            else:
                broken.append(path.name)
    return numbers, broken


def faults(mail, kept, user):
    """What is wrong with what a user has, kept being what was acknowledged, and how many messages he has."""
    numbers, broken = stored(mail, f"u{user}")
    there = set(numbers)
    lost = [number for number, of in kept if of == user and number not in there]
    wrong = [f"u{user}: {len(lost)} of {len(kept)} that were acknowledged are lost"] if lost else []
    wrong += [f"u{user}: some are there twice"] if len(numbers) != len(there) else []
    wrong += [f"u{user}: {len(broken)} are not whole: {broken[:2]}"] if broken else []
    return wrong, len(numbers) + len(broken)


def streams(server, first, most=12000, count=STREAMS):
    """So many of them, under way."""
    all_of_them = [Stream(server.port("lmtp"), range(first + i * 100000, first + (i + 1) * 100000), most) for i in range(count)]
    for stream in all_of_them:
        stream.start()
    return all_of_them


def seen(server, user):
    """How many messages a client is shown."""
    pop = poplib.POP3("127.0.0.1", server.plain, timeout=60)
    pop.user(user)
    pop.pass_("secret")
    count = pop.stat()[0]
    pop.quit()
    return count
