/* SPDX-License-Identifier: MIT */
/* bans - addresses whose sessions failed to log in too often are not let in for a while. Any
 * thread. An address is an IPv4 address or the /64 of an IPv6 one. */
#ifndef PROVIDER_BANS_H
#define PROVIDER_BANS_H

#include <postern/base.h>
#include <sys/socket.h>

struct bans;
/* bans_new - strikes: failed sessions that make a ban, 0 never; they are forgotten, as the ban
 * ends, after `time`. */
int bans_new(struct bans **bans_r, unsigned strikes, postern_time time);
void bans_free(struct bans **bans);
/* bans_strike - one more failed session; whether this one made a ban. */
bool bans_strike(struct bans *bans, const struct sockaddr *address, postern_time now);
bool bans_has(struct bans *bans, const struct sockaddr *address, postern_time now);

#endif
