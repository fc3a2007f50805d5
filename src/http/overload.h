/* When a request is too late to be worth its work. Pure. Internal to the room.
 *
 * A worker that is asked for more than it can do gets behind, and past some time whoever asked has
 * given up, or will before the answer is there: all work goes into answers that nobody reads. So a
 * turn of the loop is short: what is whole by its end waits in a list, in the order in which it
 * came, while the loop looks for new connections and for clients that are gone. What has waited too
 * long when its turn comes is answered 503, which costs next to nothing, and the worker is in time
 * again for those behind. */
#ifndef HTTP_OVERLOAD_H
#define HTTP_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* The work of one turn of a loop. Milliseconds of one clock; 0: there was none yet. */
typedef struct {
    int64_t began_ms;
} http_turn_t;

/** There is work; what is seen first in a turn, at `seen_ms`, begins it. */
void http_turn_work(http_turn_t *t, int64_t seen_ms);
/** The loop looks for more. */
void http_turn_end(http_turn_t *t);
int64_t http_turn_busy(const http_turn_t *t, int64_t now_ms);

/** Whether a turn is long enough: new requests wait. */
bool http_overload_is_long(int64_t busy_ms);
/** Whether a request is turned away that waited so long. */
bool http_overload_is_late(int64_t waited_ms);

#endif
