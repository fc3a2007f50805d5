/* What one thread does for all who need it: the others wait until it is done. */
#ifndef RS_FLIGHT_H
#define RS_FLIGHT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    pthread_mutex_t lock; /* the owner's, too */
    pthread_cond_t done;
    bool busy;
    unsigned waiters;
    uint64_t rounds; /* flights that have ended */
} rs_flight_t;

void rs_flight_init(rs_flight_t *f);
void rs_flight_destroy(rs_flight_t *f);
/** With the lock. True: nobody is at it, this thread is now; call rs_flight_end with the lock when
 *  it is done. False: another one was, and has ended; or `waiters` others wait for it already. */
bool rs_flight_begin(rs_flight_t *f, unsigned waiters);
void rs_flight_end(rs_flight_t *f);

#endif
