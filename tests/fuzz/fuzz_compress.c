/* SPDX-License-Identifier: MIT */
/* fuzz_compress - a session that is compressed: the input is what the client sends, deflated or not
 * (first octet), cut as it tells. Whatever comes, what the server says can be inflated, and memory is
 * bounded. */
#include "imap_host.h"

#define SAID_MAX (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host host;
    struct host_session s;
    struct postern_span in;

    if (size < 2)
        return 0;
    host_open(&host);
    host_connect(&host, &s, true);
    host_say(&s, SPAN("x login ann secret\r\ny select inbox\r\n"), SIZE_MAX);
    host_compress(&s);
    in = span_make((const char *)data + 1, size - 1);
    if (data[0] & 0x80)
        host_say(&s, in, 1 + (size_t)data[0] % 50);
    else
        host_feed(&s, in, data[0] & 0x40 ? SIZE_MAX : 1 + (size_t)data[0] % 50);
    if (s.said_n > SAID_MAX)
        abort();
    host_hang_up(&s);
    host_close(&host);
    return 0;
}

#include "replay.h"
