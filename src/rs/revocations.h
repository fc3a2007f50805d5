/* The access tokens that ended before their time, as each authorization server publishes them
 * (oauth/revocation_list.h): followed from page to page, remembered for as long as a token may
 * live. Ages are monotonic milliseconds.
 *
 * A list is asked for again after half of settings.poll_ms, beside the requests; one that is older
 * than poll_ms must be fetched before a token is let in. So a token is refused poll_ms after its
 * revocation at the latest, also when nobody called for a while. */
#ifndef RS_REVOCATIONS_H
#define RS_REVOCATIONS_H

#include "oauth/revocation_list.h"
#include "rs/token.h"

/* ---- decisions, pure ---- */

typedef struct {
    bool followed;    /* it is known where the list is */
    bool have;        /* it was fetched once */
    bool failed;      /* the last try did */
    int64_t as_of;    /* begin of the last whole fetch: what was revoked before is known */
    int64_t ended_at; /* end of the last try */
} rs_list_times_t;

typedef enum {
    RS_LIST_FRESH,
    RS_LIST_DUE,  /* counts, and ought to be fetched again */
    RS_LIST_WAIT, /* must be fetched before anybody is let in */
    RS_LIST_AWAY, /* cannot be had for too long: nobody is let in */
} rs_list_age_t;

rs_list_age_t rs_list_age(const rs_list_times_t *t, const rs_settings_t *s, int64_t mono_ms);
/** Whether a fetch may begin: after a failure, one in settings.refetch_ms. */
bool rs_list_may_fetch(const rs_list_times_t *t, const rs_settings_t *s, int64_t mono_ms);

/* ---- the lists ---- */

typedef struct rs_revocations rs_revocations_t;

/** Borrows the settings and the ports. NULL without memory. */
rs_revocations_t *rs_revocations_new(const rs_settings_t *s, const warder_rs_ports_t *ports);
/** NULL is fine. */
void rs_revocations_free(rs_revocations_t *r);
/** Where the list of `server` is, as its metadata says (copied); unset: it has none. The first
 *  place stays, above all one that the settings give. Any thread. */
void rs_revocations_found(rs_revocations_t *r, size_t server, str_t uri);

typedef struct {
    rs_list_age_t age;
    bool fetching, may_fetch;
    uint64_t generation; /* grows with each revocation: what was looked up before holds while it
                          * stays the same */
} rs_list_view_t;

/** Any thread; does not block. */
void rs_revocations_look(rs_revocations_t *r, size_t server, rs_list_view_t *out);
/** Whether such a token has ended. Any thread; does not block. */
bool rs_revocations_hold(rs_revocations_t *r, size_t server, const rs_principal_t *who);
/** Fetches the lists that are due. One thread fetches, all others wait for it; after a failure
 *  nobody waits (see rs_list_age). Any thread; blocks. */
void rs_revocations_refresh(rs_revocations_t *r, int64_t now_ms);

#endif
