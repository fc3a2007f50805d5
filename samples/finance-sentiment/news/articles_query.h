/* From a query to its SQL: ids and sort keys of one page. Internal to articles_*.c; pure. */
#ifndef SENTIMENT_ARTICLES_QUERY_H
#define SENTIMENT_ARTICLES_QUERY_H

#include "articles_db.h"

enum { MATCH_BYTES = 8192 /* marks of 20 names of 100 bytes, and the words */ };

/** A statement in the making: text, and what its marks stand for. */
typedef struct {
    buf_t sql;
    arg_t arg[SQL_ARGS];
    int n;
} sql_t;

/** A query as it is run. */
typedef struct {
    const articles_query_t *q;
    str_t match;       /* full-text expression; unset: no text */
    int64_t low, high; /* ids: inclusive, exclusive */
    bool behind;       /* there is a cursor: */
    double key;        /* of the last article of the page before */
    int64_t id;        /* of it */
    bool by_id;        /* the order is that of ids: latest or earliest */
} plan_t;

/** Checks the query and its cursor. */
rc_t articles_plan(arena_t *a, const articles_query_t *q, plan_t *out,
                   articles_verdict_t *verdict) MUST_USE;
/** Columns id and key, in order, at most q->limit + 1. */
rc_t articles_sql(arena_t *a, const plan_t *p, sql_t *out) MUST_USE;

/** The full-text expression of `text`: every term quoted, so that nothing in it is syntax; title
 * and summary only; together with the marks of the query's tickers and topics. Unset: no word in
 * it. */
rc_t articles_match(arena_t *a, const articles_query_t *q, str_t *out) MUST_USE;

/** The cursor behind an article: base64url of order, key, id, and a hash of them with the query. */
str_t articles_cursor(arena_t *a, const articles_query_t *q, double key, int64_t id);
/** False: not one of ours, or of another query. */
bool articles_cursor_read(const articles_query_t *q, double *key, int64_t *id);

#endif
