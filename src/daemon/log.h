/* SPDX-License-Identifier: MIT */
/* log - one line per event: `time level event key=value ...`, to stderr or a file.
 * Any thread; each line is one write(). Values that came from a peer cannot forge lines or fields.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <postern/base.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
#define LOG_LINE_MAX 2048 /* longer lines are cut; PIPE_BUF, so that a line to a pipe stays whole \
                           */

struct log;
/* log_open - target: "stderr" or a file's path, appended to; level: "error", "warn", "info",
 * "debug". POSTERN_E_IO (errno says why), _SYNTAX (level), _NOMEM. log_r: given. */
int log_open(struct log **log_r, const char *target, const char *level);
void log_close(struct log **log);
/* log_reopen - the file anew, after rotation; on failure (POSTERN_E_IO) the old one stays. */
int log_reopen(struct log *log);
/* log_event - pairs: key, value, ... NULL; a pair whose value is NULL or "" is left out. */
void log_event(struct log *log, enum log_level level, const char *event, const char *const *pairs);
/* log_note - the same with up to two pairs. */
void log_note(struct log *log, enum log_level level, const char *event, const char *key1,
              const char *value1, const char *key2, const char *value2);
/* log_format - the line that log_event() writes, with its line end; returns its length, <= size. */
size_t log_format(char *out, size_t size, const char *time, enum log_level level, const char *event,
                  const char *const *pairs);

#endif
