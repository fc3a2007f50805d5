/* How long what is asked for now will wait for store and trail. Pure; one for each worker and kind.
 *
 * Little's law: what waits, over how much was done in the last while. It tells as soon as too much
 * has been let in; the time that finished work has taken would tell that long afterwards, when what
 * waits by then is many times too much. A while is long enough to hold some work: the first that is
 * done after a moment's standstill says nothing about those behind it, which are done with it. */
#ifndef AS_BACKLOG_H
#define AS_BACKLOG_H

#include <stdint.h>

/* Times in milliseconds, of one clock. */
typedef struct {
    uint32_t open;      /* begun and not done */
    int64_t since_ms;   /* when it was last empty */
    int64_t window_ms;  /* begin of the window that is counted now */
    uint32_t done;      /* in it, */
    int64_t done_ms;    /* and when the last of them was */
    uint32_t last_done; /* in the one before, */
    int64_t last_ms;    /* and its length; 0: there was none since it was empty */
} as_backlog_t;

void as_backlog_begin(as_backlog_t *b, int64_t now_ms);
void as_backlog_end(as_backlog_t *b, int64_t now_ms);
/** Milliseconds; 0 where nothing waits. */
int64_t as_backlog_wait(const as_backlog_t *b, int64_t now_ms);

#endif
