/* SPDX-License-Identifier: MIT */
/* sizes - what a session that was greeted and waits holds of memory, by protocol (N6): the engine
 * alone, as a program that embeds it would have it. */
#include "cli/cli.h"

#include <postern/imap.h>
#include <postern/pop3.h>
#include <postern/smtp.h>
#include <string.h>

/* SIZE_OF(proto, LET_IN) - a function that makes a session, lets it in and has the greeting sent.
 */
#define SIZE_OF(proto, OPTIONS_INIT, LET_IN)                             \
    static size_t size_of_##proto(void)                                  \
    {                                                                    \
        struct postern_##proto##_options options;                        \
        struct postern_##proto##_question question;                      \
        struct postern_##proto *s = NULL;                                \
        struct postern_piece piece;                                      \
        size_t size = 0;                                                 \
                                                                         \
        OPTIONS_INIT(&options);                                          \
        if (postern_##proto##_new(&s, &options, NULL, 0) < 0)            \
            return 0;                                                    \
        while (postern_##proto##_next(s, &question) == 1 && question.id) \
            if (LET_IN < 0)                                              \
                break;                                                   \
        while (postern_##proto##_output(s, &piece, 1))                   \
            postern_##proto##_sent(s, piece.bytes.n, 0);                 \
        size = postern_##proto##_memory(s);                              \
        postern_##proto##_free(&s);                                      \
        return size;                                                     \
    }

SIZE_OF(pop3, POSTERN_POP3_OPTIONS_INIT, postern_pop3_answer_default(s, question.id))
SIZE_OF(imap, POSTERN_IMAP_OPTIONS_INIT, postern_imap_answer(s, question.id, 0))
SIZE_OF(smtp, POSTERN_SMTP_OPTIONS_INIT, postern_smtp_answer_default(s, question.id))

int cli_sizes(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    const char *format = json ? "{\"pop3\": %zu, \"imap\": %zu, \"smtp\": %zu}\n"
                              : "octets of a session that waits: POP3 %zu, IMAP %zu, SMTP %zu\n";

    printf(format, size_of_pop3(), size_of_imap(), size_of_smtp());
    return 0;
}
