/* SPDX-License-Identifier: MIT */
/* program - spawned, and heard until it closes its output or its time is over. */
#include "daemon/program.h"

#include "base/span.h"
#include "daemon/server.h"
#include "serve/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX 65536

/* struct run - one under way. */
struct run {
    pid_t pid;
    int out; /* its output; -1: closed */
    postern_time until;
    struct buffer *said;
};

static int spawn(const struct program *program, int in, int out, pid_t *pid_r)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, defaults;
    int r;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (program->hears_errors)
        posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    r = posix_spawn(pid_r, program->arguments[0], &actions, &attributes, program->arguments,
                    program->environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r ? POSTERN_E_IO : 0;
}

static void shut(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int begin(struct run *run, const struct program *program)
{
    int out[2] = {-1, -1}, in = spool_copy(program->message, program->line_feeds), err;

    if (in < 0)
        return in;
    err = pipe2(out, O_CLOEXEC) < 0 ? POSTERN_E_IO : spawn(program, in, out[1], &run->pid);
    close(in);
    shut(out[1]);
    run->out = out[0];
    if (!err && fcntl(run->out, F_SETFL, O_NONBLOCK) < 0)
        err = POSTERN_E_IO;
    return err;
}

static void hear(struct run *run)
{
    char bytes[4096];
    ssize_t n = read(run->out, bytes, sizeof bytes);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        close(run->out);
        run->out = -1;
    } else if (n > 0 && buffer_length(run->said) + (size_t)n <= OUTPUT_MAX) {
        buffer_append(run->said, span_make(bytes, (size_t)n));
    }
}

static int milliseconds_left(const struct run *run)
{
    postern_time now = clock_now();

    return now >= run->until ? 0 : (int)((run->until - now) / 1000000) + 1;
}

/* listen_to - until it closed its output. POSTERN_E_AGAIN: its time is over. */
static int listen_to(struct run *run)
{
    while (run->out >= 0) {
        struct pollfd polled = {.fd = run->out, .events = POLLIN};
        int left = milliseconds_left(run);

        if (!left || (poll(&polled, 1, left) < 0 && errno != EINTR))
            return POSTERN_E_AGAIN;
        if (polled.revents)
            hear(run);
    }
    return 0;
}

/* end - its exit status, or <0. Whoever takes too long is killed, with all it started. */
static int end(struct run *run, int err)
{
    int status = 0, r = 0;

    if (run->pid) {
        while (!err && (r = waitpid(run->pid, &status, WNOHANG)) == 0) {
            if (!milliseconds_left(run))
                err = POSTERN_E_AGAIN;
            else
                usleep(1000);
        }
        if (err) {
            kill(-run->pid, SIGKILL);
            r = waitpid(run->pid, &status, 0);
        }
    }
    shut(run->out);
    return err ? err : r > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : POSTERN_E_IO;
}

int program_run(const struct program *program, struct buffer *said)
{
    struct run run = {.out = -1, .until = clock_now() + program->limit, .said = said};
    int err = begin(&run, program), status;

    status = end(&run, err ? err : listen_to(&run));
    return said->error ? said->error : status;
}

const char *program_folder(void)
{
    const char *folder = getenv("TMPDIR");

    return folder && *folder ? folder : "/var/tmp";
}
