/* An import on its way, and its rows. Internal to articles_import.c and articles_put.c. */
#ifndef SENTIMENT_ARTICLES_PUT_H
#define SENTIMENT_ARTICLES_PUT_H

#include "articles_db.h"
#include "like.h"

typedef struct {
    const article_t *x;
    int64_t published;
    int64_t identity;
    bool known; /* as it was before the transaction: then it is not scored */
    double score;
    double *scores; /* one a ticker */
} row_t;

typedef struct {
    articles_t *s;
    desk_t *d;               /* within a transaction; else NULL */
    arena_t *a;              /* for the whole import */
    arena_t *scratch;        /* for one article */
    arena_t *engine, *named; /* for scoring one article */
    const articles_from_t *from;
    int64_t origin, now;
    articles_import_t *out;
} import_t;

/** Asks the engine about a row; within a transaction (m->d set) or outside. */
rc_t articles_score_row(import_t *m, row_t *r) MUST_USE;
/** The id of m->from, made when it is new. Within a transaction, as the next one. */
rc_t articles_put_origin(import_t *m) MUST_USE;
/** One article: as a lead, under another one, or not again. */
rc_t articles_put_row(import_t *m, row_t *r) MUST_USE;

#endif
