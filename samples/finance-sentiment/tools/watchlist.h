/* The tickers that each person watches, in a file of their own: what people keep must not go with a
 * store of news that can be fetched again.
 *
 * Thread rule: any thread, at once with others; each call blocks for the disk. What is returned is
 * in the caller's arena. */
#ifndef SENTIMENT_WATCHLIST_H
#define SENTIMENT_WATCHLIST_H

#include "core/arena.h"
#include "core/log.h"

enum {
    WATCHLIST_TICKERS = 100,   /* of one person */
    WATCHLIST_PEOPLE = 100000, /* about 20 MB with ten tickers each */
    WATCHLIST_TICKER_BYTES = 20,
    WATCHLIST_OWNER_BYTES = 2048, /* issuer and subject together */
};

typedef struct watchlists watchlists_t;

/** Whose list: a subject means nothing without its issuer. Both empty: of the one who is served
 *  over standard streams. */
typedef struct {
    str_t issuer, subject;
} watchlist_owner_t;

typedef struct {
    const char *path; /* in an existing folder, readable by this user alone; NULL: in memory */
    const log_t *log;
} watchlists_config_t;

/** RC_CONFIG: *why is one sentence (in `a`) with the mend. RC_MEMORY. */
rc_t watchlists_open(arena_t *a, const watchlists_config_t *config, watchlists_t **out,
                     str_t *why) MUST_USE;
/** After all who use it have ended. NULL is fine. */
void watchlists_close(watchlists_t *w);

/* All or nothing: a change that is refused changes nothing. Tickers are upper case, checked by the
 * caller. RC_IO: the disk (logged). RC_MEMORY. */
/** In the order in which they were added. */
rc_t watchlist_get(watchlists_t *w, arena_t *a, const watchlist_owner_t *who,
                   str_list_t *out) MUST_USE;
/** *changed: how many were not there yet. RC_LIMIT: over WATCHLIST_TICKERS, WATCHLIST_PEOPLE or
 *  WATCHLIST_OWNER_BYTES. */
rc_t watchlist_add(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                   size_t *changed) MUST_USE;
/** *changed: how many were there. */
rc_t watchlist_remove(watchlists_t *w, const watchlist_owner_t *who, str_list_t tickers,
                      size_t *changed) MUST_USE;
rc_t watchlist_clear(watchlists_t *w, const watchlist_owner_t *who, size_t *changed) MUST_USE;
/** A company has another ticker now; its place stays. RC_NOT_FOUND: `from` is not watched.
 *  RC_CONFLICT: `to` is watched already. */
rc_t watchlist_rename(watchlists_t *w, const watchlist_owner_t *who, str_t from, str_t to) MUST_USE;

#endif
