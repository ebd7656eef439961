/* SPDX-License-Identifier: MIT */
/* conn_io - octets in and out of one connection, with and without TLS.
 * Plain: one sendmsg for all lent pieces; a file range goes by sendfile when it is large, and is
 * read into the same sendmsg when it is small: each packet that leaves costs more than copying a
 * few pages. TLS: pieces are gathered into one record. Trap: after SSL_ERROR_WANT_WRITE the same
 * octets must be offered again; output() gives the same beginning until sent() is called, so
 * gathering anew is enough. */
#include "net/loop.h"

#include "base/span.h"
#include <errno.h>
#include <openssl/err.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECES 16
#define TLS_RECORD 16384
#define SENDFILE_MAX (1u << 20)
#define SENDFILE_MIN (SCRATCH_BYTES - 16384u)

static int ssl_result(struct net_conn *conn, int n)
{
    switch (SSL_get_error(conn->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_WANT_WRITE:
        conn->tls_wants_write = true;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        conn->peer_eof = true;
        return 0;
    default:
        ERR_clear_error();
        return POSTERN_E_CLOSED;
    }
}

int conn_read(struct net_conn *conn, char *out, size_t n)
{
    ssize_t got;

    conn->more_to_read = false;
    if (conn->ssl) {
        int read = SSL_read(conn->ssl, out, (int)n);

        if (read <= 0)
            return ssl_result(conn, read);
        conn->more_to_read = true;
        return read;
    }
    do
        got = recv(conn->fd, out, n, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? 0 : POSTERN_E_CLOSED;
    if (got == 0)
        conn->peer_eof = true;
    conn->more_to_read = (size_t)got == n;
    return (int)got;
}

static int write_failed(void)
{
    return errno == EAGAIN || errno == EINTR ? 0 : POSTERN_E_CLOSED;
}

static int write_range(struct net_conn *conn, const struct postern_piece *piece, postern_time now)
{
    uint64_t at;
    int fd = conn->session.ops->file_of(conn->session.self, piece->content, piece->offset, &at);
    off_t offset = (off_t)at;
    ssize_t sent;

    if (fd < 0)
        return POSTERN_E_IO;
    sent = sendfile(conn->fd, fd, &offset,
                    piece->bytes.n < SENDFILE_MAX ? piece->bytes.n : SENDFILE_MAX);
    if (sent < 0)
        return write_failed();
    if (sent == 0)
        return POSTERN_E_IO; /* the file is shorter than it was: the reply cannot be finished */
    conn->session.ops->sent(conn->session.self, (uint64_t)sent, now);
    return (int)sent;
}

/* gather_range - octets of a file range, appended to a record; how many, or <0. */
static int gather_range(struct net_conn *conn, const struct postern_piece *piece, char *out,
                        size_t n)
{
    uint64_t at;
    int fd = conn->session.ops->file_of(conn->session.self, piece->content, piece->offset, &at);
    ssize_t got = fd < 0 ? -1 : pread(fd, out, n, (off_t)at);

    return got > 0 ? (int)got : POSTERN_E_IO;
}

/* gather - the beginning of the output, at most max octets of it; how many, or <0. */
static int gather(struct net_conn *conn, const struct postern_piece *pieces, size_t count,
                  char *out, size_t max)
{
    size_t n = 0;

    for (size_t i = 0; i < count && n < max; i++) {
        size_t room = max - n, take = pieces[i].bytes.n < room ? pieces[i].bytes.n : room;
        int got = (int)take;

        if (pieces[i].bytes.p)
            memcpy(out + n, pieces[i].bytes.p, take);
        else
            got = gather_range(conn, &pieces[i], out + n, take);
        if (got < 0)
            return got;
        n += (size_t)got;
        if ((size_t)got < take)
            break;
    }
    return (int)n;
}

/* The last answer may wait for the FIN: one packet instead of two. */
static int more_flag(const struct net_conn *conn, size_t count)
{
    bool last = count < PIECES && conn->session.ops->wants(conn->session.self) & POSTERN_WANT_CLOSE;

    return MSG_NOSIGNAL | (last ? MSG_MORE : 0);
}

static int write_gathered(struct net_conn *conn, const struct postern_piece *pieces, size_t count,
                          postern_time now)
{
    int n = gather(conn, pieces, count, conn->loop->scratch, SCRATCH_BYTES);
    ssize_t sent;

    if (n <= 0)
        return n;
    sent = send(conn->fd, conn->loop->scratch, (size_t)n, more_flag(conn, count));
    if (sent < 0)
        return write_failed();
    conn->session.ops->sent(conn->session.self, (uint64_t)sent, now);
    return (int)sent;
}

static int write_plain(struct net_conn *conn, const struct postern_piece *pieces, size_t count,
                       postern_time now)
{
    struct iovec vector[PIECES];
    struct msghdr message = {.msg_iov = vector};
    ssize_t sent;
    int flags = more_flag(conn, count);

    while (message.msg_iovlen < count && pieces[message.msg_iovlen].bytes.p) {
        const struct postern_span *bytes = &pieces[message.msg_iovlen].bytes;

        vector[message.msg_iovlen++] = (struct iovec){(void *)bytes->p, bytes->n};
    }
    if (message.msg_iovlen < count && pieces[message.msg_iovlen].bytes.n < SENDFILE_MIN)
        return write_gathered(conn, pieces, count, now);
    if (message.msg_iovlen == 0)
        return write_range(conn, &pieces[0], now);
    if (message.msg_iovlen < count)
        flags |= MSG_MORE; /* the file range follows at once and may share the segment */
    sent = sendmsg(conn->fd, &message, flags);
    if (sent < 0)
        return write_failed();
    conn->session.ops->sent(conn->session.self, (uint64_t)sent, now);
    return (int)sent;
}

static int write_tls(struct net_conn *conn, const struct postern_piece *pieces, size_t count,
                     postern_time now)
{
    int n = gather(conn, pieces, count, conn->loop->scratch, TLS_RECORD), sent;

    if (n <= 0)
        return n;
    sent = SSL_write(conn->ssl, conn->loop->scratch, n);
    if (sent <= 0)
        return ssl_result(conn, sent);
    conn->session.ops->sent(conn->session.self, (uint64_t)sent, now);
    return sent;
}

int conn_write(struct net_conn *conn, postern_time now)
{
    struct postern_piece pieces[PIECES];
    size_t count = conn->session.ops->output(conn->session.self, pieces, PIECES);

    if (count == 0)
        return 0;
    return conn->ssl ? write_tls(conn, pieces, count, now) : write_plain(conn, pieces, count, now);
}
