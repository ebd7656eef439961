/* SPDX-License-Identifier: MIT */
/* wire - the letters and bits of the protocol. A packet is a length of four octets, a letter, and
 * what belongs to it; numbers have the highest octet first, texts end with NUL. */
#ifndef MILTER_WIRE_H
#define MILTER_WIRE_H

#include "proto/milter/milter.h"

enum {
    SAY_OPTIONS = 'O',
    SAY_MACROS = 'D',
    SAY_CONNECT = 'C',
    SAY_HELO = 'H',
    SAY_MAIL = 'M',
    SAY_RCPT = 'R',
    SAY_DATA = 'T',
    SAY_HEADER = 'L',
    SAY_HEADER_END = 'N',
    SAY_BODY = 'B',
    SAY_END = 'E',
    SAY_ABORT = 'A',
    SAY_QUIT = 'Q'
};

#define VERSION 6u
#define VERSION_LEAST 2u
#define VERSION_DATA 4u /* the first that knows of DATA */

/* what a filter may do */
#define DO_ADD 0x01u
#define DO_BODY 0x02u
#define DO_CHANGE 0x10u
#define DO_QUARANTINE 0x20u
#define DO_ADD_RCPT 0x04u
#define DO_DELETE_RCPT 0x08u
#define DO_SENDER 0x40u
#define DO_ADD_RCPT_MORE 0x80u /* with parameters, which say nothing to us */
#define DO_ALL                                                                                 \
    (DO_ADD | DO_BODY | DO_ADD_RCPT | DO_DELETE_RCPT | DO_CHANGE | DO_QUARANTINE | DO_SENDER | \
     DO_ADD_RCPT_MORE)

/* what it may leave out: a command, or its reply */
#define NO_CONNECT 0x01u
#define NO_HELO 0x02u
#define NO_MAIL 0x04u
#define NO_RCPT 0x08u
#define NO_BODY 0x10u
#define NO_HEADER 0x20u
#define NO_HEADER_END 0x40u
#define QUIET_HEADER 0x80u
#define NO_UNKNOWN 0x100u
#define NO_DATA 0x200u
#define CAN_SKIP 0x400u
#define QUIET_CONNECT 0x1000u
#define QUIET_HELO 0x2000u
#define QUIET_MAIL 0x4000u
#define QUIET_RCPT 0x8000u
#define QUIET_DATA 0x10000u
#define QUIET_UNKNOWN 0x20000u
#define QUIET_HEADER_END 0x40000u
#define QUIET_BODY 0x80000u
#define RAW_VALUES 0x100000u
#define STEPS_ALL                                                                               \
    (NO_CONNECT | NO_HELO | NO_MAIL | NO_RCPT | NO_BODY | NO_HEADER | NO_HEADER_END |           \
     QUIET_HEADER | NO_UNKNOWN | NO_DATA | CAN_SKIP | QUIET_CONNECT | QUIET_HELO | QUIET_MAIL | \
     QUIET_RCPT | QUIET_DATA | QUIET_UNKNOWN | QUIET_HEADER_END | QUIET_BODY | RAW_VALUES)

#endif
