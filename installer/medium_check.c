/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/medium_check.h"

#include "base/memory.h"
#include "base/units.h"
#include "image/medium.h"
#include "image/medium_present.h"

#include <pthread.h>

enum { BELIEVED_SECONDS = 60 };

struct rf_medium_check {
    char *medium;
    pthread_t thread;
    bool running;    /* the thread was started and not joined yet */
    double finished; /* when it was through (rf_now), and with what: */
    int outcome;
    rf_error *error;
    bool over; /* set last by the thread; read and written atomically, as is the progress */
    uint64_t done, total;
};

static const struct rf_medium_choice common = {.common = true};

static void note(void *data, uint64_t done, uint64_t total)
{
    struct rf_medium_check *check = data;
    __atomic_store_n(&check->total, total, __ATOMIC_RELAXED);
    __atomic_store_n(&check->done, done, __ATOMIC_RELAXED);
}

static void *read_medium(void *data)
{
    struct rf_medium_check *check = data;
    check->outcome = rf_medium_verify(check->medium, &common, note, check, &check->error);
    check->finished = rf_now();
    __atomic_store_n(&check->over, true, __ATOMIC_RELEASE);
    return NULL;
}

struct rf_medium_check *rf_medium_check_start(const char *medium)
{
    struct rf_medium_check *check = rf_alloc(sizeof(*check));
    check->medium = rf_strdup(medium);
    check->running = pthread_create(&check->thread, NULL, read_medium, check) == 0;
    return check;
}

static void join(struct rf_medium_check *check)
{
    if (check->running)
        pthread_join(check->thread, NULL);
    check->running = false;
}

static void follow(struct rf_medium_check *check, struct rf_step_env *env)
{
    while (!__atomic_load_n(&check->over, __ATOMIC_ACQUIRE)) {
        usleep(50000);
        rf_step_progress(env, __atomic_load_n(&check->done, __ATOMIC_RELAXED),
                         __atomic_load_n(&check->total, __ATOMIC_RELAXED), "bytes");
    }
}

static void progress(void *data, uint64_t done, uint64_t total)
{
    rf_step_progress(data, done, total, "bytes");
}

/* What the thread found, where that can still be believed. *ret_read: it can, and needs not be read again. */
static int collect(struct rf_medium_check *check, struct rf_step_env *env, bool *ret_read, rf_error **err)
{
    if (check->running)
        follow(check, env);
    join(check);
    *ret_read = check->over && rf_now() - check->finished <= BELIEVED_SECONDS;
    check->over = false; /* asked again, it is read again */
    if (*ret_read && check->outcome < 0 && err)
        *err = RF_STEAL(check->error);
    return *ret_read ? check->outcome : 0;
}

int rf_medium_check_wait(struct rf_medium_check *check, char *const *images, struct rf_step_env *env, rf_error **err)
{
    bool read = false;
    if (collect(check, env, &read, err) < 0)
        return -1;
    const struct rf_medium_choice rest = {.common = !read, .images = images};
    if (rf_medium_verify(check->medium, &rest, progress, env, err) < 0)
        return -1;
    if (rf_medium_present(check->medium, err) < 0)
        return rf_wrap(err, "the medium was pulled since it was checked (nothing was written; attach the ISO again)");
    return 0;
}

void rf_medium_check_free(struct rf_medium_check *check)
{
    if (!check)
        return;
    join(check);
    rf_error_free(check->error);
    free(check->medium);
    free(check);
}
