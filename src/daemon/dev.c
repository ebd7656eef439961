/* SPDX-License-Identifier: MIT */
/* dev - `postern dev`: a disposable server on the loopback for people who try things out.
 *
 * Everything is in memory; the messages of a folder are copied in, the folder is never changed.
 * Says on stdout what it serves and how to try it. */
#include "daemon/daemon.h"

#include "base/memory.h"
#include "base/span.h"
#include "daemon/load.h"
#include "daemon/server.h"
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#define DEV_USER "demo"
#define DEV_PASSWORD "postern"
#define DEV_PORT 1110
#define DEV_PORT_TLS 1995
#define DEV_IMAP_PORT 1143
#define DEV_IMAP_PORT_TLS 1993
#define DEV_SMTP_PORT 1025
#define DEV_LMTP_PORT 1024

/* struct shared - the store's functions, but a user is led to the account of his name without its
 * domain, where his mail is; or everybody to that of `demo`. */
struct shared {
    struct postern_store_ops ops; /* first: found again from store->ops */
    const struct postern_store_ops *inner;
    bool by_all;
};

struct dev {
    struct server server;
    struct config config;
    struct shared shared;
    const char *password;
    char folder[4096];
    int messages;
};

static int shared_open(struct postern_store *store, struct postern_span user, unsigned flags,
                       struct postern_account **account_r)
{
    const struct shared *shared = (const struct shared *)store->ops;
    char name[256];
    size_t n = span_find(user, '@');

    n = n && n < sizeof name ? n : 0;
    for (size_t i = 0; i < n; i++)
        name[i] = ascii_lower(user.p[i]);
    if (n)
        user = span_make(name, n);
    return shared->inner->account_open(store, shared->by_all ? SPAN(DEV_USER) : user, flags,
                                       account_r);
}

static void share(struct dev *dev, bool by_all)
{
    dev->shared.by_all = by_all;
    dev->shared.inner = dev->server.store.ops;
    dev->shared.ops = *dev->server.store.ops;
    dev->shared.ops.account_open = shared_open;
    dev->server.store.ops = &dev->shared.ops;
}

static bool is_folder(const char *path)
{
    return access(path, R_OK | X_OK) == 0;
}

/* The samples: in the source tree, or where they are installed beside the program. */
static bool samples_find(char *out, size_t size)
{
    char self[2048];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    snprintf(out, size, "share/sample");
    if (is_folder(out))
        return true;
    if (n <= 0)
        return false;
    self[n] = '\0';
    slash = strrchr(self, '/');
    if (!slash)
        return false;
    *slash = '\0';
    snprintf(out, size, "%s/../share/postern/sample", self);
    return is_folder(out);
}

static int mail_load(struct dev *dev, const struct daemon_dev_options *options)
{
    if (options->mail)
        snprintf(dev->folder, sizeof dev->folder, "%s", options->mail);
    else if (!samples_find(dev->folder, sizeof dev->folder))
        return *dev->folder = '\0';
    dev->messages = load_folder(&dev->server.store, SPAN(DEV_USER), dev->folder);
    if (dev->messages >= 0)
        return 0;
    return server_fail(&dev->server, EX_NOINPUT, dev->folder, postern_err_text(dev->messages));
}

/* The parts that a configuration could not name. */
static int parts(struct dev *dev, const struct daemon_dev_options *options)
{
    struct server *server = &dev->server;
    struct recipients_options everybody = {.delimiters = "+", .anybody = true};
    int r = postern_store_memory_new(&server->store);

    if (r >= 0)
        r = accounts_dev_new(&server->accounts, options->any_password ? NULL : dev->password);
    if (r >= 0)
        r = recipients_new(&server->recipients, &everybody);
    if (r < 0)
        return server_fail(server, EX_OSERR, "start", postern_err_text(r));
    r = mail_load(dev, options);
    if (!r)
        share(dev, options->shared);
    if (!r)
        r = server_open(server);
    server->site.delays = NULL; /* whoever tests wrong passwords has no time to wait */
    server->site.smtp_login = server->site.any_sender = true;
    server->smtp.domain_optional = true;
    return r;
}

/* one_port - the usual one if none was asked for; with POP3 at any port, any. */
static int one_port(struct dev *dev, enum service_kind kind, int asked, int usual, bool tls)
{
    char address[32];

    snprintf(address, sizeof address, "127.0.0.1:%d", asked < 0 ? usual : asked);
    return server_listen(&dev->server, kind, address, tls);
}

static int ports(struct dev *dev, const struct daemon_dev_options *options)
{
    bool any = options->port == 0;
    int r = one_port(dev, SERVICE_POP3, options->port, DEV_PORT, false);

    if (!r)
        r = one_port(dev, SERVICE_POP3, options->port_tls, any ? 0 : DEV_PORT_TLS, true);
    if (!r)
        r = one_port(dev, SERVICE_IMAP, options->imap_port, any ? 0 : DEV_IMAP_PORT, false);
    if (!r)
        r = one_port(dev, SERVICE_IMAP, options->imap_port_tls, any ? 0 : DEV_IMAP_PORT_TLS, true);
    if (!r)
        r = one_port(dev, SERVICE_SMTP, options->smtp_port, any ? 0 : DEV_SMTP_PORT, false);
    if (!r)
        r = one_port(dev, SERVICE_LMTP, options->lmtp_port, any ? 0 : DEV_LMTP_PORT, false);
    return r;
}

/* ---- what it says ---------------------------------------------------------------------------- */

static void fingerprint_print(const char *pem)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    if (cert && X509_digest(cert, EVP_sha256(), digest, &n)) {
        printf("  certificate  made for this run; SHA-256 ");
        for (unsigned i = 0; i < n; i++)
            printf(i ? ":%02X" : "%02X", digest[i]);
        printf("\n");
    }
    X509_free(cert);
    BIO_free(bio);
}

static void introduce(const struct dev *dev, const struct daemon_dev_options *options)
{
    const struct server *server = &dev->server;

    printf("Postern, a disposable mail server. Nothing here outlives it.\n\n");
    printf("  POP3         127.0.0.1:%u (STLS, APOP)\n", server->ports[SERVICE_POP3][0]);
    printf("  POP3S        127.0.0.1:%u\n", server->ports[SERVICE_POP3][1]);
    printf("  IMAP         127.0.0.1:%u (STARTTLS)\n", server->ports[SERVICE_IMAP][0]);
    printf("  IMAPS        127.0.0.1:%u\n", server->ports[SERVICE_IMAP][1]);
    printf("  SMTP         127.0.0.1:%u (STARTTLS, AUTH if you like): mail for anybody\n",
           server->ports[SERVICE_SMTP][0]);
    printf("  LMTP         127.0.0.1:%u\n", server->ports[SERVICE_LMTP][0]);
    printf("  login        any name, password %s\n"
           "               ann reads what was sent to ann@example.org\n",
           options->any_password ? "whatever you like" : dev->password);
    if (dev->folder[0])
        printf("  mail         %d messages from %s for %s\n", dev->messages, dev->folder,
               options->shared ? "everybody" : DEV_USER "; other users have none");
    else
        printf("  mail         none (give a folder of .eml files with --mail)\n");
    fingerprint_print(net_tls_cert_pem(server->tls));
    printf("\nTry:\n\n");
    printf("  curl pop3://" DEV_USER ":%s@127.0.0.1:%u/\n", dev->password,
           server->ports[SERVICE_POP3][0]);
    printf("  curl -k pop3s://" DEV_USER ":%s@127.0.0.1:%u/1\n", dev->password,
           server->ports[SERVICE_POP3][1]);
    printf("  curl -k 'imaps://" DEV_USER ":%s@127.0.0.1:%u/INBOX;UID=1'\n", dev->password,
           server->ports[SERVICE_IMAP][1]);
    printf("  curl smtp://127.0.0.1:%u --mail-from me@example.org --mail-rcpt " DEV_USER
           "@example.org -T MESSAGE\n",
           server->ports[SERVICE_SMTP][0]);
    printf("\nCtrl-C ends it.\n");
    fflush(stdout);
}

/* Every password is known here, so that SCRAM can be had. Not its -PLUS forms: mutt with libgsasl
 * takes those first, fails for want of tls-exporter, and then misreads every answer. */
static void mechanisms(struct config *config)
{
    static const char *all[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-1", NULL};
    char *const *set = config->mechanisms;

    if (set[0] && set[1] && !set[2] && strcmp(set[0], "PLAIN") == 0 && strcmp(set[1], "LOGIN") == 0)
        config->mechanisms = (char **)all; /* the default of a server that has hashes only */
}

static int dev_run(struct dev *dev, const struct daemon_dev_options *options)
{
    int r = server_init(&dev->server, &dev->config);

    if (!r)
        r = ports(dev, options);
    if (!r)
        r = parts(dev, options);
    if (r)
        return r;
    introduce(dev, options);
    return server_run(&dev->server);
}

int daemon_dev(const struct config *config, const struct daemon_dev_options *options)
{
    struct dev *dev = memory_new(NULL, sizeof *dev);
    int r;

    if (!dev)
        return EX_OSERR;
    server_signals_block();
    dev->config = *config; /* a shallow copy: the strings stay the caller's */
    dev->config.plaintext = (char *)"loopback";
    dev->config.apop = true;
    mechanisms(&dev->config);
    dev->config.ban_strikes = 0;
    dev->config.connections_per_address = 0;
    dev->password = options->password ? options->password : DEV_PASSWORD;
    r = dev_run(dev, options);
    server_done(&dev->server);
    memory_free(NULL, dev);
    return r;
}
