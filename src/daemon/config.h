/* SPDX-License-Identifier: MIT */
/* config - all settings of the server, from one table: file (libconfuse), POSTERN_* variables,
 * flags. Later wins: default < file < environment < flag. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <postern/message.h>
#include <stdio.h>

/* X(member, "key", TYPE, "default", "one-line help"). Types: STRING (char *), BOOL (bool), NUMBER
 * (long), TIME (postern_time; "10m", "60s"), LIST (char **; comma separated on flags,
 * NULL-terminated). */
#define CONFIG_MAP(X)                                                                              \
    X(config_version, "config_version", NUMBER, "1", "version of this file's format; must be 1")   \
    X(host, "host", STRING, "", "name of this server (default: the system's host name)")           \
    X(listen, "listen", LIST, "0.0.0.0:110,[::]:110", "POP3 addresses, with STLS")                 \
    X(listen_tls, "listen_tls", LIST, "0.0.0.0:995,[::]:995", "POP3 addresses with implicit TLS")  \
    X(imap_listen, "imap_listen", LIST, "0.0.0.0:143,[::]:143", "IMAP addresses, with STARTTLS")   \
    X(imap_listen_tls, "imap_listen_tls", LIST, "0.0.0.0:993,[::]:993",                            \
      "IMAP addresses with implicit TLS")                                                          \
    X(imap_without, "imap_without", LIST, "",                                                      \
      "IMAP extensions that are not offered: QRESYNC,MOVE")                                        \
    X(imap_referrals, "imap_referrals", BOOL, "no",                                                \
      "say LOGIN-REFERRALS: users may be on another server")                                       \
    X(special_mailboxes, "special_mailboxes", LIST, "",                                            \
      "made for who has only INBOX: Sent,Trash,Entwürfe=Drafts")                                   \
    X(other_users, "other_users", STRING, "",                                                      \
      "level where mailboxes are that other users share: Other; empty: nothing is shared")         \
    X(shared_account, "shared_account", STRING, "",                                                \
      "account whose mailboxes are shared under a level of their own")                             \
    X(shared, "shared", STRING, "Shared", "that level")                                            \
    X(append_mb, "append_mb", NUMBER, "64", "MiB of a message that IMAP APPEND takes")             \
    X(domains, "domains", LIST, "", "domains whose mail is taken; none: no mail is received")      \
    X(smtp_listen, "smtp_listen", LIST, "0.0.0.0:25,[::]:25",                                      \
      "SMTP addresses for mail from other servers, with STARTTLS")                                 \
    X(submission_listen, "submission_listen", LIST, "0.0.0.0:587,[::]:587",                        \
      "SMTP addresses for users' programs, with STARTTLS")                                         \
    X(submission_listen_tls, "submission_listen_tls", LIST, "0.0.0.0:465,[::]:465",                \
      "the same with implicit TLS")                                                                \
    X(lmtp_listen, "lmtp_listen", LIST, "127.0.0.1:24",                                            \
      "LMTP addresses, or /PATH,mode=0660,user=NAME,group=NAME; never port 25")                    \
    X(aliases, "aliases", STRING, "", "file of NAME: TARGET, TARGET lines")                        \
    X(recipient_delimiter, "recipient_delimiter", STRING, "+",                                     \
      "what parts name and mailbox in ann+lists@example.org")                                      \
    X(detail_create, "detail_create", BOOL, "no",                                                  \
      "make the mailbox that ann+lists names; else INBOX is used")                                 \
    X(postmaster, "postmaster", STRING, "", "account that gets postmaster's and abuse's mail")     \
    X(smarthost, "smarthost", STRING, "",                                                          \
      "HOST:PORT that takes users' mail for other domains; empty: nobody does")                    \
    X(smarthost_tls, "smarthost_tls", STRING, "verify",                                            \
      "verify: TLS and a good certificate; encrypt: any certificate; none")                        \
    X(smarthost_ca, "smarthost_ca", STRING, "", "PEM file of CAs for that; empty: the system's")   \
    X(smarthost_login, "smarthost_login", STRING, "", "file with USER:PASSWORD for it")            \
    X(sendmail, "sendmail", STRING, "",                                                            \
      "program that takes it instead, run as sendmail -i -f SENDER -- RECIPIENT...")               \
    X(sendmail_timeout, "sendmail_timeout", TIME, "60s", "time that it has")                       \
    X(submit, "submit", STRING, "127.0.0.1:25",                                                    \
      "where `postern sendmail` hands mail to: HOST:PORT or /SOCKET; lmtp: before it speaks LMTP") \
    X(submit_tls, "submit_tls", STRING, "none", "as smarthost_tls")                                \
    X(submit_ca, "submit_ca", STRING, "", "as smarthost_ca")                                       \
    X(submit_login, "submit_login", STRING, "", "as smarthost_login")                              \
    X(filter, "filter", LIST, "",                                                                  \
      "who sees each message before it is taken: /PROGRAM, rspamd:http://HOST:PORT, "              \
      "rspamd:unix:/PATH, milter:inet:HOST:PORT, milter:unix:/PATH")                               \
    X(filter_timeout, "filter_timeout", TIME, "60s", "time that each has")                         \
    X(filter_optional, "filter_optional", BOOL, "no",                                              \
      "take mail if one fails or is late; else the sender is to come again")                       \
    X(filter_names, "filter_names", BOOL, "yes", "look clients' names up for rspamd and milters")  \
    X(filter_junk, "filter_junk", STRING, "Junk",                                                  \
      "mailbox for what they call spam; empty: where it belongs")                                  \
    X(deduplicate, "deduplicate", BOOL, "no",                                                      \
      "recognise what an MTA sends again since our answer got lost, up to 64 KiB")                 \
    X(message_mb, "message_mb", NUMBER, "50", "MiB of a message that SMTP and LMTP take")          \
    X(recipients_max, "recipients_max", NUMBER, "1000", "recipients of one message")               \
    X(bare_newline, "bare_newline", STRING, "normalize",                                           \
      "LF without CR in mail: normalize, reject, or legacy: also in commands")                     \
    X(smtp_tls_required, "smtp_tls_required", BOOL, "no",                                          \
      "other servers must use TLS; users always must")                                             \
    X(smtp_trusted, "smtp_trusted", LIST, "",                                                      \
      "addresses or nets of proxies that say for whom they speak (XCLIENT)")                       \
    X(smtp_verify, "smtp_verify", BOOL, "no", "VRFY tells whether an address is there")            \
    X(any_sender, "any_sender", BOOL, "no", "users may send in any name, not only their own")      \
    X(hide_client, "hide_client", BOOL, "no", "Received of users' mail without their address")     \
    X(tls_cert, "tls_cert", STRING, "", "PEM certificate chain; empty: a self-signed one is made") \
    X(tls_key, "tls_key", STRING, "", "PEM private key")                                           \
    X(tls_extra, "tls_extra", LIST, "", "further certificates for SNI, each CERT:KEY")             \
    X(tls_client_ca, "tls_client_ca", STRING, "", "PEM file of CAs that sign client certificates") \
    X(store, "store", STRING, "maildir", "maildir, eml or memory")                                 \
    X(mail, "mail", STRING, "mail", "where the mail is: PATH/USER, or a path with %u, %n, %d")     \
    X(durability, "durability", STRING, "full",                                                    \
      "full, or none: faster, but a power cut takes mail that was acknowledged")                   \
    X(search_index, "search_index", BOOL, "no",                                                    \
      "keep an index of texts in each account (Maildir), where built in")                          \
    X(quota_mb, "quota_mb", NUMBER, "0", "MiB of mail that an account may have; 0: no limit")      \
    X(quota_messages, "quota_messages", NUMBER, "0",                                               \
      "messages that an account may have; 0: no limit")                                            \
    X(quota_mailboxes, "quota_mailboxes", NUMBER, "0",                                             \
      "mailboxes that an account may have; 0: no limit")                                           \
    X(imap_message_limit, "imap_message_limit", NUMBER, "0",                                       \
      "messages of one IMAP command (RFC 9738 wants 1000 at least); 0: any number")                \
    X(imap_save_limit, "imap_save_limit", NUMBER, "0",                                             \
      "messages of one COPY or APPEND, where imap_message_limit is 0; 0: any number")              \
    X(imap_set_quota, "imap_set_quota", BOOL, "no",                                                \
      "users may change their own quota by IMAP; of one user in his line")                         \
    X(disk_reserve_mb, "disk_reserve_mb", NUMBER, "64",                                            \
      "MiB of the mail's disk that are left free: mail that would use them is refused for now")    \
    X(accounts, "accounts", STRING, "file", "file, or pam where built in")                         \
    X(users, "users", STRING, "users", "the password file")                                        \
    X(plaintext, "plaintext", STRING, "tls", "clear-text logins: tls, loopback or always")         \
    X(apop, "apop", BOOL, "no", "offer APOP in the greeting")                                      \
    X(mechanisms, "mechanisms", LIST, "PLAIN,LOGIN",                                               \
      "SASL mechanisms; SCRAM-* needs keys of every user")                                         \
    X(extensions, "extensions", LIST, "UID-PARAM,SLEE-WAKE,DELI,QAUT", "POP3 extensions offered")  \
    X(last, "last", BOOL, "no", "offer the old LAST command")                                      \
    X(surrogate, "surrogate", STRING, "send",                                                      \
      "UTF-8 mail for old clients: send (RFC 6858) or refuse")                                     \
    X(expire_days, "expire_days", NUMBER, "-1", "EXPIRE: -1 unsaid, -2 NEVER, else days")          \
    X(login_delay, "login_delay", TIME, "0s", "shortest time between two logins of a user")        \
    X(greeting, "greeting", STRING, "Postern ready", "text of the greeting")                       \
    X(implementation, "implementation", STRING, "Postern",                                         \
      "IMPLEMENTATION capability; empty hides it")                                                 \
    X(read_only, "read_only", BOOL, "no", "nothing can be deleted")                                \
    X(proxy_trusted, "proxy_trusted", LIST, "",                                                    \
      "addresses or nets whose PROXY header is required")                                          \
    X(login_timeout, "login_timeout", TIME, "60s", "time to log in")                               \
    X(idle_timeout, "idle_timeout", TIME, "10m", "time between two commands, at least 10m")        \
    X(asleep_timeout, "asleep_timeout", TIME, "30m", "time asleep (SLEE)")                         \
    X(drain_timeout, "drain_timeout", TIME, "30s", "time for sessions to end after SIGTERM")       \
    X(connections_max, "connections_max", NUMBER, "20000", "connections in all")                   \
    X(connections_per_address, "connections_per_address", NUMBER, "100",                           \
      "connections per address; 0: no limit")                                                      \
    X(connections_per_user, "connections_per_user", NUMBER, "20",                                  \
      "logged-in connections per user; 0: no limit")                                               \
    X(ban_strikes, "ban_strikes", NUMBER, "3",                                                     \
      "failed sessions before an address is banned; 0: never")                                     \
    X(ban_time, "ban_time", TIME, "15m", "how long a ban lasts")                                   \
    X(threads, "threads", NUMBER, "0", "event loops; 0: one per core")                             \
    X(workers, "workers", NUMBER, "4", "threads for disk and password work")                       \
    X(user, "user", STRING, "", "run as this user after the ports are bound")                      \
    X(log, "log", STRING, "stderr", "stderr, or a file")                                           \
    X(log_level, "log_level", STRING, "info", "error, warn, info or debug")

#define CONFIG_LEVEL_MAX 100 /* octets of other_users and shared */

typedef char *config_STRING;
typedef bool config_BOOL;
typedef long config_NUMBER;
typedef postern_time config_TIME;
typedef char **config_LIST;

struct config {
#define CONFIG_MEMBER(member, key, type, default_text, help) config_##type member;
    CONFIG_MAP(CONFIG_MEMBER)
#undef CONFIG_MEMBER
};

/* config_init - all defaults. 0 or POSTERN_E_NOMEM. End with config_done(). */
int config_init(struct config *config);
void config_done(struct config *config);
/* config_file - read a file over it. On failure POSTERN_E_NOT_FOUND/_IO/_SYNTAX and "FILE:LINE:
 * why" in config_error(). */
int config_file(struct config *config, const char *path);
/* config_text - the same from a NUL-terminated text. */
int config_text(struct config *config, const char *text);
/* config_environment - every POSTERN_KEY variable. */
int config_environment(struct config *config);
/* config_set - one setting by key ("idle_timeout" or "idle-timeout") from text; did-you-mean in
 * config_error(). */
int config_set(struct config *config, const char *key, const char *value);
/* config_special_word - "trash"; config_special - of special_mailboxes: "Sent", or "Gesendet=Sent";
 * false: there is no such use.
 */
const char *config_special_word(enum postern_special_use use);
bool config_special(const char *text, struct postern_span *name_r, enum postern_special_use *use_r);
/* config_check - what no single value can tell: 0 or POSTERN_E_SYNTAX and config_error(). */
int config_check(const struct config *config);
const char *config_error(void);
/* config_dump - the settings in force, as a file; config_example - a commented sample file;
 * config_man - the key list in man(7) form; config_help - flags for --help. */
void config_dump(const struct config *config, FILE *out);
void config_dump_json(const struct config *config, FILE *out);
void config_example(FILE *out);
void config_man(FILE *out);
void config_help(FILE *out);

#endif
