/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "installer/watch.h"

#include "base/json.h"
#include "base/units.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { MS = 1000, NS_PER_MS = 1000000 };

/* One question on its way. */
struct question {
    const struct rf_watch *watch;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    bool done; /* under the mutex */
    json_t *answer;
    rf_error *error;
};

static void *ask(void *data)
{
    struct question *question = data;
    question->answer = question->watch->ask(question->watch->data, &question->error);
    pthread_mutex_lock(&question->mutex);
    question->done = true;
    pthread_cond_signal(&question->answered);
    pthread_mutex_unlock(&question->mutex);
    return NULL;
}

/* Waits until it is answered, for up to a tick. */
static bool answered(struct question *question)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    unsigned long ns = (unsigned long)until.tv_nsec + (unsigned long)question->watch->tick_ms * NS_PER_MS;
    until.tv_sec += (time_t)(ns / (MS * NS_PER_MS));
    until.tv_nsec = (long)(ns % (MS * NS_PER_MS));
    pthread_mutex_lock(&question->mutex);
    int timeout = 0;
    while (!question->done && timeout == 0)
        timeout = pthread_cond_timedwait(&question->answered, &question->mutex, &until);
    bool done = question->done;
    pthread_mutex_unlock(&question->mutex);
    return done;
}

/* Asks, and draws the former answer meanwhile. False where the drawing ended the watch. */
static bool ask_and_draw(struct question *question, const json_t *former)
{
    double begun = rf_now();
    bool wanted = true;
    if (pthread_create(&question->thread, NULL, ask, question) != 0)
        abort();
    while (!answered(question))
        wanted = wanted && question->watch->draw(question->watch->data, former, rf_now() - begun);
    pthread_join(question->thread, NULL);
    return wanted;
}

int rf_watch(const struct rf_watch *watch, rf_error **err)
{
    rf_autojson json_t *last = NULL;
    const struct timespec pause = {watch->pause_ms / MS, (long)(watch->pause_ms % MS) * NS_PER_MS};
    for (;;) {
        struct question question = {
            .watch = watch, .mutex = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
        bool wanted = ask_and_draw(&question, last);
        json_decref(last);
        last = question.answer;
        if (!last) {
            if (err)
                *err = question.error;
            else
                rf_error_free(question.error);
            return -1;
        }
        if (!wanted || !watch->draw(watch->data, last, -1))
            return 0;
        nanosleep(&pause, NULL);
    }
}
