/* SPDX-License-Identifier: MIT */
/* listen - a listening TCP socket on loopback, which is no business of the library. */
#ifndef EXAMPLES_LISTEN_H
#define EXAMPLES_LISTEN_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* listen_local - listen on 127.0.0.1, port 0 for any, and print "listening 127.0.0.1:PORT". -1:
 * errno. */
static inline int listen_local(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, n;
    char line[40];

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 128) < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &size);
    n = snprintf(line, sizeof line, "listening 127.0.0.1:%u\n", ntohs(address.sin_port));
    return write(STDOUT_FILENO, line, (size_t)n) == n ? fd : -1;
}

/* clock_now - the engines' time: monotonic nanoseconds. */
static inline uint64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
