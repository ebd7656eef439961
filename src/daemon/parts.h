/* SPDX-License-Identifier: MIT */
/* parts - what a configuration names and both the server and the commands need. */
#ifndef DAEMON_PARTS_H
#define DAEMON_PARTS_H

#include "accounts/recipients.h"
#include "daemon/config.h"
#include "store/space.h"
#include <postern/smtp.h>
#include <postern/store.h>

/* parts_store - given: as it is configured. <0: why not. */
int parts_store(const struct config *config, struct postern_store *store_r);
/* parts_accounts - given. <0: accounts_error() says why; POSTERN_E_UNSUPPORTED: pam is not built
 * in. */
int parts_accounts(const struct config *config, struct accounts **accounts_r);
/* parts_recipients - given; who has which address. <0: accounts_error() says why. */
int parts_recipients(const struct config *config, struct accounts *accounts,
                     struct recipients **recipients_r);
/* parts_smtp - the options of the engine that the configuration has. */
void parts_smtp(const struct config *config, struct postern_smtp_options *options_r);
/* parts_space - given: how much the disk of the mail has left; NULL for a store in memory. */
int parts_space(const struct config *config, struct space **space_r);
/* parts_host - the configured name of this server, or the system's. */
void parts_host(const struct config *config, char *out, size_t size);
/* parts_address - "mail.example.net:587", "[2001:db8::1]:25": cut in two. false: it is none. */
#define PARTS_HOST_BYTES 256
#define PARTS_PORT_BYTES 8
bool parts_address(const char *address, char host_r[PARTS_HOST_BYTES],
                   char port_r[PARTS_PORT_BYTES]);

#endif
