/* SPDX-License-Identifier: MIT */
/* test_bell - bells of a running loop, rung from here and from other threads. */
#include "cmocka_all.h"

#include "net/net.h"
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

/* struct ear - a bell, and how often it was heard. */
struct ear {
    struct net_bell bell;
    struct net_loop *loop;
    atomic_uint heard;
    struct ear *silences; /* is taken down when this one is heard; NULL: none */
    unsigned rings_again; /* so often it rings itself when it is heard */
};

static struct net_loops *loops;
static sem_t done;

static void hear(void *arg)
{
    struct ear *ear = arg;

    if (ear->silences)
        net_bell_take_down(&ear->silences->bell);
    if (ear->rings_again && ear->rings_again--)
        net_bell_ring(&ear->bell);
    atomic_fetch_add(&ear->heard, 1);
}

static void hang(void *arg)
{
    struct ear *ear = arg;

    net_bell_hang(&ear->bell, ear->loop, hear, ear);
    sem_post(&done);
}

static void take_down(void *arg)
{
    net_bell_take_down(&((struct ear *)arg)->bell);
    sem_post(&done);
}

static void ring_and_take_down(void *arg)
{
    net_bell_ring(&((struct ear *)arg)->bell);
    take_down(arg);
}

static void nothing(void *arg)
{
    (void)arg;
    sem_post(&done);
}

static void wait_for(sem_t *what)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    assert_int_equal(sem_timedwait(what, &until), 0);
}

/* on_loop - fn(arg) there, and until it was. */
static void on_loop(void (*fn)(void *arg), void *arg)
{
    assert_int_equal(net_loop_post(net_loops_at(loops, 0), fn, arg), 0);
    wait_for(&done);
}

/* settle - all that rang so far was heard: the loop has gone round twice. */
static void settle(void)
{
    on_loop(nothing, NULL);
    on_loop(nothing, NULL);
}

static sem_t holds, goes_on;

static void hold(void *arg)
{
    (void)arg;
    sem_post(&holds);
    wait_for(&goes_on);
    sem_post(&done);
}

/* loop_hold - the loop does nothing until loop_release. */
static void loop_hold(void)
{
    assert_int_equal(net_loop_post(net_loops_at(loops, 0), hold, NULL), 0);
    wait_for(&holds);
}

static void loop_release(void)
{
    sem_post(&goes_on);
    wait_for(&done);
}

static int begin(void **state)
{
    (void)state;
    sem_init(&done, 0, 0);
    sem_init(&holds, 0, 0);
    sem_init(&goes_on, 0, 0);
    return net_loops_new(&loops, 1) < 0 || net_loops_start(loops) < 0;
}

static int end(void **state)
{
    (void)state;
    net_loops_drain(loops, 0);
    net_loops_join(&loops);
    return 0;
}

static void ear_hang(struct ear *ear)
{
    *ear = (struct ear){.loop = net_loops_at(loops, 0)};
    on_loop(hang, ear);
}

/* However often it rings before the loop listens, it is heard once; and again when it rings again.
 */
static void test_many_rings_are_heard_once(void **state)
{
    struct ear ear;

    (void)state;
    ear_hang(&ear);
    loop_hold();
    for (unsigned i = 0; i < 1000; i++)
        net_bell_ring(&ear.bell);
    loop_release();
    settle();
    assert_int_equal(atomic_load(&ear.heard), 1);
    net_bell_ring(&ear.bell);
    settle();
    assert_int_equal(atomic_load(&ear.heard), 2);
    on_loop(take_down, &ear);
}

static void test_taken_down_is_silent(void **state)
{
    struct ear ear, never = {0};

    (void)state;
    on_loop(take_down, &never); /* it never hung */
    ear_hang(&ear);
    on_loop(ring_and_take_down, &ear);
    net_bell_ring(&ear.bell);
    settle();
    assert_int_equal(atomic_load(&ear.heard), 0);
    on_loop(hang, &ear);
    net_bell_ring(&ear.bell);
    settle();
    assert_int_equal(atomic_load(&ear.heard), 1);
    on_loop(take_down, &ear);
}

/* Two that rang together: whichever is heard first takes the other one down. */
static void test_one_heard_silences_another(void **state)
{
    struct ear a, b;

    (void)state;
    ear_hang(&a);
    ear_hang(&b);
    a.silences = &b;
    b.silences = &a;
    loop_hold();
    net_bell_ring(&a.bell);
    net_bell_ring(&b.bell);
    loop_release();
    settle();
    assert_int_equal(atomic_load(&a.heard) + atomic_load(&b.heard), 1);
    on_loop(take_down, &a);
    on_loop(take_down, &b);
}

/* What rings while it is heard is heard again, and keeps no other from being heard. */
static void test_rings_while_heard(void **state)
{
    struct ear restless, other;

    (void)state;
    ear_hang(&restless);
    ear_hang(&other);
    restless.rings_again = 100;
    loop_hold();
    net_bell_ring(&other.bell);
    net_bell_ring(&restless.bell);
    loop_release();
    settle();
    assert_int_equal(atomic_load(&other.heard), 1);
    for (unsigned i = 0; i < 100; i++)
        settle();
    assert_int_equal(atomic_load(&restless.heard), 101);
    on_loop(take_down, &restless);
    on_loop(take_down, &other);
}

#define EARS 100
#define RINGERS 4

static void *ring_all(void *arg)
{
    struct ear *ears = arg;

    for (unsigned round = 0; round < 100; round++)
        for (unsigned i = 0; i < EARS; i++)
            net_bell_ring(&ears[i].bell);
    return NULL;
}

static void test_threads_ring(void **state)
{
    static struct ear ears[EARS];
    pthread_t ringers[RINGERS];
    unsigned before[EARS];

    (void)state;
    for (unsigned i = 0; i < EARS; i++)
        ear_hang(&ears[i]);
    for (unsigned i = 0; i < RINGERS; i++)
        assert_int_equal(pthread_create(&ringers[i], NULL, ring_all, ears), 0);
    for (unsigned i = 0; i < EARS / 2; i++) /* meanwhile half of them go */
        on_loop(take_down, &ears[i]);
    for (unsigned i = 0; i < RINGERS; i++)
        pthread_join(ringers[i], NULL);
    settle();
    for (unsigned i = EARS / 2; i < EARS; i++) {
        before[i] = atomic_load(&ears[i].heard);
        assert_true(before[i] > 0);
        net_bell_ring(&ears[i].bell);
    }
    settle();
    for (unsigned i = EARS / 2; i < EARS; i++) {
        assert_int_equal(atomic_load(&ears[i].heard), before[i] + 1);
        on_loop(take_down, &ears[i]);
    }
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_many_rings_are_heard_once),
                                       TEST(test_taken_down_is_silent),
                                       TEST(test_one_heard_silences_another),
                                       TEST(test_rings_while_heard), TEST(test_threads_ring)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
