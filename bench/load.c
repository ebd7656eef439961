/* SPDX-License-Identifier: MIT */
/* load - drives a POP3 server and checks every answer: bench-load MODE PORT USER PASSWORD COUNT
 * [tls] [threads=N]
 *
 *   login  COUNT sessions of login, STAT, QUIT
 *   noop   COUNT times NOOP in one session per thread: what a question and an answer cost at least
 *   list   COUNT times UIDL and LIST in one session per thread; each must have as many lines as
 * STAT says retr   COUNT times every message of the mailbox; each must be as long as LIST said idle
 * COUNT sessions logged in and held until standard input ends; prints "ready" when all stand
 *
 * Speaks to 127.0.0.1 only. Prints "operations SECONDS"; any wrong answer ends it with status 1. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct {
    const char *mode, *user, *password; /* a '%' in user stands for the number of the client */
    int port, threads;
    long count;
    bool tls;
    SSL_CTX *context;
} job = {.threads = 4};

struct client {
    int fd;
    SSL *ssl;
    char buffer[65536];
    size_t head, tail;
};

static void fail(const char *what, const char *got)
{
    fprintf(stderr, "load: %s: %.80s\n", what, got);
    exit(1);
}

static void client_open(struct client *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)job.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    c->head = c->tail = 0;
    c->ssl = NULL;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail("connect", "");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!job.tls)
        return;
    c->ssl = SSL_new(job.context);
    if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1 || SSL_connect(c->ssl) != 1)
        fail("TLS handshake", "");
}

static void client_close(struct client *c)
{
    if (c->ssl)
        SSL_free(c->ssl);
    close(c->fd);
}

static void client_fill(struct client *c)
{
    ssize_t n;

    if (c->head == c->tail)
        c->head = c->tail = 0;
    if (c->head) {
        memmove(c->buffer, c->buffer + c->head, c->tail - c->head);
        c->tail -= c->head;
        c->head = 0;
    }
    if (c->tail == sizeof c->buffer)
        fail("line too long", c->buffer);
    if (c->ssl)
        n = SSL_read(c->ssl, c->buffer + c->tail, (int)(sizeof c->buffer - c->tail));
    else
        n = recv(c->fd, c->buffer + c->tail, sizeof c->buffer - c->tail, 0);
    if (n <= 0)
        fail("connection lost", "");
    c->tail += (size_t)n;
}

/* the next line without its CRLF, lent until the next call; length_r counts it */
static const char *client_line(struct client *c, size_t *length_r)
{
    size_t seen = 0;

    for (;;) {
        char *start = c->buffer + c->head;
        char *end = memchr(start + seen, '\n', c->tail - c->head - seen);

        if (end) {
            if (end == start || end[-1] != '\r')
                fail("bare line feed", start);
            end[-1] = '\0';
            *length_r = (size_t)(end - 1 - start);
            c->head += *length_r + 2;
            return start;
        }
        seen = c->tail - c->head;
        client_fill(c);
    }
}

__attribute__((format(printf, 2, 3))) static void client_send(struct client *c, const char *format,
                                                              ...)
{
    char line[600];
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (c->ssl ? SSL_write(c->ssl, line, n) != n : send(c->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
        fail("write", line);
}

static const char *client_ok(struct client *c)
{
    size_t length;
    const char *line = client_line(c, &length);

    if (strncmp(line, "+OK", 3) != 0)
        fail("refused", line);
    return line;
}

static void client_user(char *out, size_t size, long number)
{
    const char *percent = strchr(job.user, '%');

    if (percent)
        snprintf(out, size, "%.*s%ld%s", (int)(percent - job.user), job.user, number, percent + 1);
    else
        snprintf(out, size, "%s", job.user);
}

static long client_login(struct client *c, long number)
{
    long messages;
    char user[128];

    client_open(c);
    client_ok(c);
    client_user(user, sizeof user, number);
    client_send(c, "USER %s\r\n", user);
    client_ok(c);
    client_send(c, "PASS %s\r\n", job.password);
    client_ok(c);
    client_send(c, "STAT\r\n");
    if (sscanf(client_ok(c), "+OK %ld ", &messages) != 1)
        fail("STAT", "");
    return messages;
}

static void client_quit(struct client *c)
{
    client_send(c, "QUIT\r\n");
    client_ok(c);
    client_close(c);
}

/* a listing: numbers must run from 1 to messages; sizes filled in when wanted */
static void client_listing(struct client *c, const char *command, long messages, long *sizes)
{
    size_t length;
    long expected = 0;

    client_send(c, "%s\r\n", command);
    client_ok(c);
    for (;;) {
        const char *line = client_line(c, &length);
        char *rest;

        if (strcmp(line, ".") == 0)
            break;
        if (strtol(line, &rest, 10) != ++expected || *rest != ' ')
            fail("listing", line);
        if (sizes)
            sizes[expected - 1] = strtol(rest + 1, NULL, 10);
    }
    if (expected != messages)
        fail("listing has another length than STAT says", command);
}

static void client_retrieve(struct client *c, long number, long size)
{
    size_t length;
    long got = 0;

    client_send(c, "RETR %ld\r\n", number);
    client_ok(c);
    for (;;) {
        const char *line = client_line(c, &length);

        if (length == 1 && line[0] == '.')
            break;
        got += (long)length + 2 - (line[0] == '.');
    }
    if (got != size)
        fail("message has another size than LIST says", "");
}

static long work_login(long count, long number)
{
    struct client *c = malloc(sizeof *c);

    for (long i = 0; i < count; i++) {
        client_login(c, number);
        client_quit(c);
    }
    free(c);
    return count;
}

static long work_noop(long count, long number)
{
    struct client *c = malloc(sizeof *c);

    client_login(c, number);
    for (long i = 0; i < count; i++) {
        client_send(c, "NOOP\r\n");
        client_ok(c);
    }
    client_quit(c);
    free(c);
    return count;
}

static long work_list(long count, long number)
{
    struct client *c = malloc(sizeof *c);
    long messages = client_login(c, number);

    for (long i = 0; i < count; i++) {
        client_listing(c, "UIDL", messages, NULL);
        client_listing(c, "LIST", messages, NULL);
    }
    client_quit(c);
    free(c);
    return count;
}

static long work_retr(long count, long number)
{
    struct client *c = malloc(sizeof *c);
    long messages = client_login(c, number);
    long *sizes = calloc((size_t)messages + 1, sizeof *sizes);

    client_listing(c, "LIST", messages, sizes);
    for (long i = 0; i < count; i++)
        for (long n = 1; n <= messages; n++)
            client_retrieve(c, n, sizes[n - 1]);
    client_quit(c);
    free(sizes);
    free(c);
    return count * messages;
}

static long work_idle(long count, long number)
{
    struct client *all = calloc(1, sizeof *all);
    int ended;

    (void)number;
    /* the buffers are only needed while logging in; one client is used for all */
    for (long i = 0; i < count; i++)
        client_login(all, i);
    puts("ready");
    fflush(stdout);
    do
        ended = getchar();
    while (ended != EOF);
    free(all);
    return count;
}

static const struct {
    const char *name;
    long (*work)(long count, long number);
} modes[] = {{"login", work_login},
             {"noop", work_noop},
             {"list", work_list},
             {"retr", work_retr},
             {"idle", work_idle}};

struct share {
    pthread_t thread;
    long number, done;
};

static void *thread_main(void *argument)
{
    struct share *share = argument;

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(job.mode, modes[i].name) == 0)
            share->done = modes[i].work(job.count / job.threads, share->number);
    return NULL;
}

static void arguments(int argc, char **argv)
{
    struct rlimit files;

    if (argc < 6)
        fail("usage", "bench-load MODE PORT USER PASSWORD COUNT [tls] [threads=N]");
    job.mode = argv[1];
    job.port = atoi(argv[2]);
    job.user = argv[3];
    job.password = argv[4];
    job.count = atol(argv[5]);
    for (int i = 6; i < argc; i++) {
        job.tls |= strcmp(argv[i], "tls") == 0;
        if (strncmp(argv[i], "threads=", 8) == 0)
            job.threads = atoi(argv[i] + 8);
    }
    if (strcmp(job.mode, "idle") == 0)
        job.threads = 1;
    if (job.threads < 1 || job.threads > 64)
        fail("usage", "threads=1..64");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
    struct share shares[64] = {0};
    long sum = 0;
    struct timespec from, to;

    arguments(argc, argv);
    job.context = SSL_CTX_new(TLS_client_method());
    /* every handshake is a full one, so that the two servers do the same work */
    SSL_CTX_set_session_cache_mode(job.context, SSL_SESS_CACHE_OFF);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < job.threads; i++) {
        shares[i].number = i;
        if (pthread_create(&shares[i].thread, NULL, thread_main, &shares[i]) != 0)
            fail("thread", "");
    }
    for (int i = 0; i < job.threads; i++) {
        pthread_join(shares[i].thread, NULL);
        sum += shares[i].done;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%ld %.6f\n", sum,
           (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
    return sum > 0 ? 0 : 1;
}
