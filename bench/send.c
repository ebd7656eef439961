/* SPDX-License-Identifier: MIT */
/* send smtp|lmtp PORT COUNT CLIENTS - CLIENTS connections at once send COUNT messages of 4 KiB in
 * all, each to a user of its own (u0@example.org ...), pipelined as MTAs do: MAIL, RCPT and DATA in
 * one write. Prints how many were taken, and the seconds it took. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_OCTETS 4096

static bool is_lmtp;
static unsigned port, count, clients;
static char message[MESSAGE_OCTETS + 8];

struct client {
    pthread_t thread;
    unsigned number, taken;
    FILE *in;
    int fd;
};

static void make_message(void)
{
    size_t n =
        (size_t)snprintf(message, sizeof message,
                         "From: a@far.example\r\nTo: u@example.org\r\nSubject: bench\r\n\r\n");

    while (n + 72 <= MESSAGE_OCTETS) {
        memset(message + n, 'x', 70);
        memcpy(message + n + 70, "\r\n", 3);
        n += 72;
    }
    strcpy(message + n, ".\r\n");
}

/* reply - the code of a reply, to its last line; 0: the connection is gone. */
static int reply(struct client *client)
{
    char line[1024];

    do
        if (!fgets(line, sizeof line, client->in))
            return 0;
    while (line[3] == '-');
    return atoi(line);
}

static void say(struct client *client, const char *text)
{
    size_t n = strlen(text);

    if (write(client->fd, text, n) != (ssize_t)n)
        exit(1);
}

static bool greet(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
        return false;
    client->in = fdopen(client->fd, "r");
    if (reply(client) != 220)
        return false;
    say(client, is_lmtp ? "LHLO bench.example\r\n" : "EHLO bench.example\r\n");
    return reply(client) == 250;
}

static void *run(void *arg)
{
    struct client *client = arg;
    char envelope[200];

    if (!greet(client))
        return NULL;
    snprintf(envelope, sizeof envelope,
             "MAIL FROM:<a@far.example>\r\nRCPT TO:<u%u@example.org>\r\nDATA\r\n", client->number);
    for (unsigned i = 0; i < count / clients; i++) {
        say(client, envelope);
        if (reply(client) != 250 || reply(client) != 250 || reply(client) != 354)
            break;
        say(client, message);
        if (reply(client) != 250)
            break;
        client->taken++;
    }
    say(client, "QUIT\r\n");
    (void)reply(client);
    fclose(client->in);
    return NULL;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct client all[64] = {0};
    unsigned taken = 0;
    double began;

    if (argc < 5 || (clients = (unsigned)atoi(argv[4])) > 64)
        return 64;
    is_lmtp = strcmp(argv[1], "lmtp") == 0;
    port = (unsigned)atoi(argv[2]);
    count = (unsigned)atoi(argv[3]);
    make_message();
    began = now();
    for (unsigned i = 0; i < clients; i++) {
        all[i].number = i;
        if (pthread_create(&all[i].thread, NULL, run, &all[i]) != 0)
            return 1;
    }
    for (unsigned i = 0; i < clients; i++) {
        pthread_join(all[i].thread, NULL);
        taken += all[i].taken;
    }
    printf("%u %.6f\n", taken, now() - began);
    return 0;
}
