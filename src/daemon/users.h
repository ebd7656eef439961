/* SPDX-License-Identifier: MIT */
/* users - who is logged in how often, and when last: the limits per user. Any thread. */
#ifndef DAEMON_USERS_H
#define DAEMON_USERS_H

#include <postern/base.h>

struct users;
/* users_new - per_user: sessions of one user at a time, 0 no limit; delay: between two logins, 0
 * none. */
int users_new(struct users **users_r, unsigned per_user, postern_time delay);
void users_free(struct users **users);
/* users_in - one more session of the user. POSTERN_E_AGAIN: too soon (R46); _FULL: too many;
 * _NOMEM. */
int users_in(struct users *users, struct postern_span user, postern_time now);
void users_out(struct users *users, struct postern_span user);
/* users_owner - the loop that all sessions of a logged-in user belong to: the one that asks first,
 * as long as there is one. So a user's only session never moves. */
unsigned users_owner(struct users *users, struct postern_span user, unsigned loop);

#endif
