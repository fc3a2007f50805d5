/* The feeds that the store is filled from: files and folders, read at the start and again when they
 * change. A file that has become unreadable is said once in the log, and what it brought stays.
 *
 * Thread rule: feeds_open, feeds_start and feeds_close belong to one thread; feeds_poll is what the
 * thread of feeds_start does. */
#ifndef SENTIMENT_FEED_WATCH_H
#define SENTIMENT_FEED_WATCH_H

#include "articles.h"

enum { FEEDS_POLL_MS = 60000 };

typedef struct feeds feeds_t;

typedef struct {
    const char *path;  /* of --feed; NULL: the built-in feed */
    articles_t *store; /* borrowed for life */
    clock_port_t clock;
    const log_t *log;
    /** Called when a file has brought articles that were not there, on the thread that has read it;
     *  NULL: nobody wants to know. */
    void (*changed)(void *ctx);
    void *ctx;
} feeds_config_t;

/** Reads all files (*.json, *.xml, *.rss, *.atom) and the table of names beside them (tickers.csv)
 *  into the store. RC_CONFIG: *why is one sentence (in `a`) that names the file and the mend.
 *  RC_MEMORY, RC_IO (of the store). */
rc_t feeds_open(arena_t *a, const feeds_config_t *config, feeds_t **out, str_t *why) MUST_USE;
/** Looks once for files that are new or have changed, imports them, and keeps house in the store
 *  (articles_mend). */
void feeds_poll(feeds_t *f);
/** Starts the thread that does so every FEEDS_POLL_MS. RC_IO: no thread. */
rc_t feeds_start(feeds_t *f) MUST_USE;
/** Ends the thread, after the file it is reading, and frees. NULL is fine. */
void feeds_close(feeds_t *f);

#endif
