/* SPDX-License-Identifier: MIT */
/* sdnotify - one datagram per state to the service manager's socket.
 *
 * Trap: an abstract name begins with a NUL byte and its length counts; a trailing NUL would be part
 * of the name. */
#include "daemon/sdnotify.h"

#include "serve/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int sdnotify_to(const char *socket_path, const char *state)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = strlen(socket_path);
    ssize_t sent;
    int fd;

    if (n < 2 || n >= sizeof to.sun_path || (socket_path[0] != '/' && socket_path[0] != '@'))
        return POSTERN_E_SYNTAX;
    memcpy(to.sun_path, socket_path, n);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return POSTERN_E_IO;
    sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
    return sent < 0 ? POSTERN_E_IO : 1;
}

int sdnotify(const char *state)
{
    const char *socket_path = getenv("NOTIFY_SOCKET");

    return socket_path && *socket_path ? sdnotify_to(socket_path, state) : 0;
}

int sdnotify_reloading(void)
{
    char state[64];

    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)clock_now() / 1000);
    return sdnotify(state);
}
