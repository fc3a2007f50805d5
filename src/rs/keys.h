/* The keys of each authorization server: fetched, kept, refreshed, and kept on using for a while
 * when their server is away. Times are monotonic milliseconds, so that no jump of the wall clock
 * makes keys younger or older. */
#ifndef RS_KEYS_H
#define RS_KEYS_H

#include "jose/jwk.h"
#include "rs/introspection.h"
#include "rs/revocations.h"

/* ---- decisions, pure ---- */

typedef struct {
    bool have, tried, searched; /* whether the times below were ever set */
    int64_t fetched_at;         /* last success */
    int64_t tried_at;           /* last begin of a fetch */
    int64_t searched_at;        /* last begin of a fetch for an unknown key id */
} rs_key_times_t;

typedef enum {
    RS_KEYS_GONE, /* none, or so old that they must not be used */
    RS_KEYS_DUE,  /* may be used, and ought to be fetched again */
    RS_KEYS_FRESH,
} rs_key_age_t;

rs_key_age_t rs_key_age(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms);
/** Whether a fetch may begin because keys are due or gone: one in settings.refetch_ms. */
bool rs_key_may_fetch(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms);
/** Whether a fetch may begin because a token names an unknown key: one in settings.refetch_ms too,
 *  or strangers with invented key ids could make us hammer the authorization server. */
bool rs_key_may_search(const rs_key_times_t *t, const rs_settings_t *s, int64_t mono_ms);

/* ---- the keys ---- */

/** A key set as it was fetched. Read-only, counted. */
typedef struct rs_key_set rs_key_set_t;
const jwks_t *rs_key_set_keys(const rs_key_set_t *set);
/** Differs from that of every other set of this process's rs_keys_t. */
uint64_t rs_key_set_generation(const rs_key_set_t *set);
/** NULL is fine. */
void rs_key_set_unref(rs_key_set_t *set);

typedef struct rs_keys rs_keys_t;

/** Whom to tell what a server's metadata says beside its keys. */
typedef struct {
    rs_revocations_t *revocations;
    rs_introspection_t *introspection; /* NULL: opaque tokens are refused */
} rs_told_t;

/** Borrows all. NULL without memory. */
rs_keys_t *rs_keys_new(const rs_settings_t *s, const warder_rs_ports_t *ports, rs_told_t told);
/** NULL is fine. */
void rs_keys_free(rs_keys_t *k);

/** What there is for a server now. */
typedef struct {
    rs_key_set_t *set; /* a reference, or NULL when gone */
    rs_key_age_t age;
    bool fetching;   /* a thread is at it */
    bool may_fetch;  /* a fetch would be allowed now */
    bool may_search; /* and one for an unknown key id */
} rs_keys_view_t;

/** Any thread; does not block. */
void rs_keys_look(rs_keys_t *k, size_t server, rs_keys_view_t *out);
/** Notes that a token named a key of `server` that the set does not have. Any thread. */
void rs_keys_want(rs_keys_t *k, size_t server);
/** Fetches for every server that is due, wanted or gone, and may be fetched. One thread fetches;
 *  LIMIT_RS_WAITERS others wait for it, further ones return. Whether keys of every server may be
 *  used afterwards. Any thread; blocks. */
bool rs_keys_refresh(rs_keys_t *k);

#endif
