/* SPDX-License-Identifier: MIT */
/* smtp COUNT - the engine alone: it takes COUNT messages of 4 KiB that are discarded. Prints how
 * many it takes in a second of processor time. */
#include <postern/smtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENVELOPE "MAIL FROM:<a@far.example>\r\nRCPT TO:<u@example.org>\r\nDATA\r\n"

static struct postern_smtp *session;

static void turn(void)
{
    struct postern_smtp_question question;
    struct postern_piece piece;

    while (postern_smtp_next(session, &question) == 1)
        if (question.id && postern_smtp_answer(session, question.id, NULL) < 0)
            abort();
    while (postern_smtp_output(session, &piece, 1))
        postern_smtp_sent(session, piece.bytes.n, 0);
}

static void say(const char *text, size_t n)
{
    while (n) {
        int taken = postern_smtp_feed(session, (struct postern_span){text, n}, 0);

        if (taken < 0)
            abort();
        turn();
        text += taken;
        n -= (size_t)taken;
    }
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    struct postern_smtp_options options;
    char message[4200];
    size_t n =
        (size_t)snprintf(message, sizeof message, "From: a@far.example\r\nSubject: x\r\n\r\n");
    clock_t began;

    while (n + 72 <= 4096) {
        memset(message + n, 'x', 70);
        memcpy(message + n + 70, "\r\n", 2);
        n += 72;
    }
    memcpy(message + n, ".\r\n", 3);
    POSTERN_SMTP_OPTIONS_INIT(&options);
    options.transactions_max = UINT32_MAX;
    if (postern_smtp_new(&session, &options, NULL, 0) < 0)
        return 1;
    turn();
    say("EHLO x\r\n", 8);
    began = clock();
    for (unsigned i = 0; i < count; i++) {
        say(ENVELOPE, strlen(ENVELOPE));
        say(message, n + 3);
    }
    printf("%.0f\n", count / ((double)(clock() - began) / CLOCKS_PER_SEC));
    postern_smtp_free(&session);
    return 0;
}
