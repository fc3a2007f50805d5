/* Connections of the store and their statements. Internal to articles_*.c. */
#ifndef SENTIMENT_ARTICLES_DB_H
#define SENTIMENT_ARTICLES_DB_H

#include "articles_import.h"

#include <pthread.h>
#include <sqlite3.h>

enum {
    DESK_STATEMENTS = 64, /* kept prepared; queries have about 20 forms in use at once */
    READERS = 4,          /* the kit runs tools on about as many threads */
    ID_BITS = 20,         /* of an article's id below its second: a million a second */
    BATCH = 400,          /* articles in one transaction: some 20 ms */
    SQL_BYTES = 8192,     /* the longest query, any of ten tickers, has about 4 KB */
    SQL_ARGS = 160,
    ENGINE_BYTES = 1 << 20, /* what scoring one article gives */
};

/** One connection; used by one thread at a time. */
typedef struct {
    sqlite3 *db;
    sqlite3_stmt *kept[DESK_STATEMENTS];
    uint64_t hash[DESK_STATEMENTS]; /* of their texts */
    size_t next;                    /* the place that is given up next */
} desk_t;

/** Desks that are free; who waits is served in the order of coming, so that an import of many
 *  batches starves nobody. */
typedef struct {
    desk_t *v[READERS];
    size_t n;
    uint64_t ticket, serving;
} desks_t;

struct articles {
    articles_config_t config;
    int64_t model; /* hash of the engine's digest, as stored */
    desk_t writer, reader[READERS];
    pthread_mutex_t lock; /* guards `writers`, `readers` and `mended`; held for no statement */
    pthread_cond_t given;
    desks_t writers, readers; /* in memory the one connection is in `writers`, for all */
    bool in_memory;
    int64_t mended; /* articles up to this id are scored by this model; INT64_MAX: all */
};

desk_t *desk_read(articles_t *s);
desk_t *desk_write(articles_t *s);
/** Ends what is left of a transaction (by a failure), too. */
void desk_back(articles_t *s, desk_t *d);
void desk_close(desk_t *d);

/* What a statement is bound to, in order. */
typedef struct {
    enum { ARG_TEXT, ARG_INT, ARG_REAL, ARG_NULL } type;
    str_t text; /* borrowed until the statement ends */
    int64_t i;
    double real;
} arg_t;
typedef struct {
    const arg_t *v;
    int n;
} args_t;
#define A_T(value)                 ((arg_t){.type = ARG_TEXT, .text = (value)})
#define A_I(value)                 ((arg_t){.type = ARG_INT, .i = (value)})
#define A_R(value)                 ((arg_t){.type = ARG_REAL, .real = (value)})
#define A_REAL_OR_NULL(set, value) ((arg_t){.type = (set) ? ARG_REAL : ARG_NULL, .real = (value)})
#define ARGS(...)                                                                                  \
    ((args_t){(const arg_t[]){__VA_ARGS__}, sizeof((const arg_t[]){__VA_ARGS__}) / sizeof(arg_t)})
#define NO_ARGS ((args_t){NULL, 0})

/** A prepared and bound statement, kept for the next time. NULL: desk_failure says why. Two uses of
 *  one text must not overlap. */
sqlite3_stmt *desk_ask(desk_t *d, const char *sql, args_t args);
/** Steps: true with a row; false at the end or on failure, with *rc. The statement is reset then.
 */
bool desk_row(desk_t *d, sqlite3_stmt *s, rc_t *rc);
/** Ends a statement before its last row. NULL is fine. */
void desk_end(sqlite3_stmt *s);
/** Asks, steps to the end and drops rows. */
rc_t desk_run(desk_t *d, const char *sql, args_t args) MUST_USE;
/** The first column of the first row as a number; RC_NOT_FOUND without a row. */
rc_t desk_number(desk_t *d, const char *sql, args_t args, int64_t *out) MUST_USE;
/** Why the last call failed: RC_MEMORY, RC_BUSY or RC_IO. */
rc_t desk_failure(const desk_t *d);
/** One line in the log of a failure that is not RC_OK or RC_NOT_FOUND; gives `rc` back. */
rc_t desk_log(const articles_t *s, const desk_t *d, rc_t rc);
/** A text column in the arena: unset for NULL. RC_MEMORY. */
rc_t desk_text(arena_t *a, sqlite3_stmt *s, int column, str_t *out) MUST_USE;

/** 64 bits of a text, spread evenly; not a secret's business. */
uint64_t hash_text(uint64_t from, str_t text);
/** Unix time of a news time (checked), and back, in the arena. */
int64_t news_seconds(str_t time);
str_t news_of_seconds(arena_t *a, int64_t seconds);

/** A word of the full text for a ticker (kind 't') or topic ('o'): hexadecimal, so that it is one
 *  word whatever is in it. */
void put_mark(buf_t *b, char kind, str_t name);
/** Registers the function article_rank of full-text queries (articles_rank.c). */
rc_t articles_rank_init(sqlite3 *db) MUST_USE;

/** Opens one connection; the writer makes and migrates. */
rc_t desk_open(arena_t *a, desk_t *d, const articles_config_t *c, bool writer, str_t *why) MUST_USE;

/** Deletes a lead with all that hangs on it, within a transaction. */
rc_t articles_delete(desk_t *d, arena_t *scratch, int64_t id) MUST_USE;
/** Deletes the oldest beyond config.keep, in transactions. */
rc_t articles_trim(articles_t *s) MUST_USE;

#endif
