#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""search_index - SEARCH TEXT over 10,000 messages of 4 KiB with the index of texts and without, CPU time of the server's
whole process tree; and what making the index costs. Wants a build with POSTERN_FTS. Results: build/bench/search_index.md."""
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import imap  # noqa: E402
import run as bench  # noqa: E402

COUNT = 1000 if bench.QUICK else 10000
ROUNDS = 20
SEARCHES = (("a miss", b"not to be found"), ("a word that ten messages have", b"quixotically"), ("a word that half of them have", b"zephyrine"))


def write_mail(folder):
    """Messages of made-up words, some much more frequent than others, as words are."""
    rng = random.Random(11)
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er", "in", "on", "st")]
    vocabulary = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(20000)]
    weights = [1 / (i + 10) for i in range(len(vocabulary))]
    for sub in ("cur", "new", "tmp"):
        (folder / sub).mkdir(parents=True)
    for i in range(COUNT):
        words = rng.choices(vocabulary, weights, k=600)
        words[100:100] = ["zephyrine"] * (i % 2) + ["quixotically"] * (i % (COUNT // 10) == 5)
        lines = [" ".join(words[at:at + 11]) for at in range(0, len(words), 11)]
        data = (f"From: user{i % 97}@example.org\r\nTo: bench@example.com\r\nSubject: {' '.join(words[:4])}\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n"
                f"Message-ID: <{i}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + "\r\n".join(lines) + "\r\n").encode()
        (folder / "cur" / f"{1600000000 + i}.M{i}P1.bench,S={len(data)},W={len(data)}:2,").write_bytes(data)
    return sum(path.stat().st_size for path in (folder / "cur").iterdir())


def measure(work, more=""):
    server, port = imap.start_postern(work, more)
    client = imap.Client(port)
    client.say(b"LOGIN sync bench")
    client.say(b"SELECT INBOX")
    client.say(b"UID FETCH 1:* (ENVELOPE)")
    rows = []
    for _, text in SEARCHES:
        client.say(b'SEARCH TEXT "%s"' % text)
        before = bench.cpu_seconds(server.process.pid)
        for _ in range(ROUNDS):
            client.say(b'SEARCH TEXT "%s"' % text)
        rows.append((bench.cpu_seconds(server.process.pid) - before) / ROUNDS * 1e3)
    client.say(b"LOGOUT")
    server.stop()
    return rows


def build(work):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([bench.BUILD / "postern", "index", "text", "sync", "--config", work / "postern.conf"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    bench.OUT.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="postern-bench-", dir=bench.OUT))
    try:
        size = write_mail(work / "mail" / "sync")
        without = measure(work)
        seconds = build(work)
        indexed = measure(work, "search_index = yes\n")
        text = (f"Machine: {bench.machine()}. {COUNT:,} messages, {size / COUNT / 1024:.1f} KiB each.\n\n"
                "| SEARCH TEXT | without, CPU ms | with the index, CPU ms |\n| --- | --: | --: |\n"
                + "".join(f"| {name} | {a:.1f} | {b:.1f} |\n" for (name, _), a, b in zip(SEARCHES, without, indexed))
                + f"\nMaking the index: {seconds:.1f} s CPU, {(work / 'mail/sync/postern/text').stat().st_size / size:.2f} octets for each octet of mail.\n")
        (bench.OUT / "search_index.md").write_text(text)
        print(text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    os.umask(0o022)
    main()
