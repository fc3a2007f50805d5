/* The way of one request through all checks. */
#ifndef RS_CHECK_H
#define RS_CHECK_H

#include "rs/keys.h"
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
    rs_keys_t *keys;
    rs_token_cache_t *cache;
};

typedef struct {
    rs_reason_t reason;
    str_t detail;     /* more precise name, for the audit; may be unset */
    bool need_keys;   /* not decided: refresh, and ask again */
    bool refresh_due; /* decided, and keys are due */
    rs_principal_t who;
} rs_finding_t;

/** Judges; never blocks. RC_MEMORY. Any thread. */
rc_t rs_check(warder_rs_t *rs, arena_t *a, const warder_rs_request_t *req,
              rs_finding_t *out) MUST_USE;

#endif
