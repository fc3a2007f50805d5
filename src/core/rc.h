/* Machine failure. A protocol refusal is a value of its own and never an rc_t. */
#ifndef CORE_RC_H
#define CORE_RC_H

typedef enum {
    RC_OK = 0,
    RC_MEMORY,    /* allocation failed, or an arena's budget is used up */
    RC_LIMIT,     /* input or output larger than its named maximum (limits.def) */
    RC_MALFORMED, /* input does not follow its grammar */
    RC_IO,        /* the world failed: disk, network, library */
    RC_NOT_FOUND, /* the thing asked for does not exist */
    RC_CONFLICT,  /* a precondition no longer holds: somebody was faster */
    RC_BUSY,      /* a bounded queue or pool is full; try later */
    RC_CONFIG,    /* a setting is wrong; a sentence was given with it */
} rc_t;

#define MUST_USE __attribute__((warn_unused_result))

/* Returns the failure of `expr` to the caller, or goes on. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        rc_t try_rc_ = (expr);                                                                     \
        if (try_rc_ != RC_OK)                                                                      \
            return try_rc_;                                                                        \
    } while (0)

/** The name of `rc` for logs, e.g. "RC_LIMIT"; static. */
const char *rc_name(rc_t rc);

#endif
