/* The way of one request through all checks. */
#ifndef RS_CHECK_H
#define RS_CHECK_H

#include "jose/digest.h"
#include "oauth/dpop.h"
#include "rs/keys.h"
#include "rs/proofs.h"
#include "rs/token_cache.h"

/** Time that does not go back: where the wall clock is behind what the monotonic one says has
 *  passed since the start, the later counts, so that setting a clock back revives no token. */
typedef struct {
    int64_t wall_ms, mono_ms; /* at the start */
} rs_anchor_t;
int64_t rs_now(const rs_anchor_t *anchor, int64_t wall_ms, int64_t mono_ms);

struct warder_rs {
    arena_t *arena; /* holds this */
    warder_rs_ports_t ports;
    rs_settings_t settings;
    rs_anchor_t anchor;
    str_t metadata;
    rs_revocations_t *revocations;
    rs_introspection_t *introspection; /* NULL: opaque tokens are refused */
    rs_keys_t *keys;
    rs_token_cache_t *cache;
    rs_proofs_t *proofs; /* NULL where DPoP is off */
    uint8_t nonce_key[SHA256_BYTES];
};

typedef struct {
    rs_reason_t reason;
    str_t detail;     /* more precise name, for the audit; may be unset */
    bool need_keys;   /* not decided: refresh, and ask again */
    bool refresh_due; /* decided, and keys are due */
    bool dpop;        /* the token came in the scheme DPoP */
    str_t nonce;      /* for the next proof; unset: none are asked for */
    str_t acr_values; /* RS_AUTHENTICATION: what the request demands; may be unset */
    int max_age_s;    /* likewise; 0: nothing */
    bool proved;      /* by a proof that nobody here saw before; under this name, so long: */
    hash_t proof;
    int64_t forget_at; /* Unix seconds */
    rs_principal_t who;
} rs_finding_t;

/** All texts "". */
extern const rs_principal_t RS_NOBODY;

/** Unix milliseconds by the ports. */
int64_t rs_clock(const warder_rs_t *rs);
/** Whether a token of that kind was revoked, or cannot be told any more; never blocks. */
bool rs_check_lives(warder_rs_t *rs, const rs_principal_t *who, bool *refresh_due);
/** Whether introspection is what tells of a token. */
bool rs_check_asks(const warder_rs_t *rs, str_t token);
/** What it says; never blocks. `a` is for work alone. *full: unsure only because so much else is
 *  asked about, and nothing was noted. */
warder_rs_still_t rs_check_still(warder_rs_t *rs, arena_t *a, str_t token, bool *refresh_due,
                                 bool *full);
/** Judges; never blocks. RC_MEMORY. Any thread. */
rc_t rs_check(warder_rs_t *rs, arena_t *a, const warder_rs_request_t *req,
              rs_finding_t *out) MUST_USE;
/** What becomes of a finding that allows and was proved, where others remember proofs, too. RC_OK:
 *  nobody saw the proof; RC_CONFLICT: it was used before; else nobody can tell. */
void rs_check_spent(rs_finding_t *f, rc_t rc);

#endif
