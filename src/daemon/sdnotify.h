/* SPDX-License-Identifier: MIT */
/* sdnotify - tells the service manager how we are (sd_notify(3), without its library). */
#ifndef DAEMON_SDNOTIFY_H
#define DAEMON_SDNOTIFY_H

/* sdnotify - state ("READY=1") to $NOTIFY_SOCKET. 1 sent, 0 nobody asks, POSTERN_E_IO,
 * POSTERN_E_SYNTAX. */
int sdnotify(const char *state);
/* sdnotify_to - the same to a socket: a path, or "@name" in the abstract space. */
int sdnotify_to(const char *socket_path, const char *state);
/* sdnotify_reloading - RELOADING=1 with the time that the manager wants beside it. */
int sdnotify_reloading(void);

#endif
