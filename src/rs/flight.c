#include "rs/flight.h"

void rs_flight_init(rs_flight_t *f)
{
    *f = (rs_flight_t){.busy = false};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->done, NULL);
}

void rs_flight_destroy(rs_flight_t *f)
{
    pthread_cond_destroy(&f->done);
    pthread_mutex_destroy(&f->lock);
}

static void wait_for_other(rs_flight_t *f, unsigned waiters)
{
    if (f->waiters >= waiters)
        return;
    uint64_t round = f->rounds;
    f->waiters++;
    while (f->busy && f->rounds == round)
        pthread_cond_wait(&f->done, &f->lock);
    f->waiters--;
}

bool rs_flight_begin(rs_flight_t *f, unsigned waiters)
{
    if (f->busy) {
        wait_for_other(f, waiters);
        return false;
    }
    f->busy = true;
    return true;
}

void rs_flight_end(rs_flight_t *f)
{
    f->busy = false;
    f->rounds++;
    pthread_cond_broadcast(&f->done);
}
