/* What must be in the store before the first request is served. */
#ifndef CMD_PREPARE_H
#define CMD_PREPARE_H

#include "as/kek.h"
#include "audit/audit.h"
#include "conf/conf.h"
#include "store/store.h"

typedef struct {
    arena_t *a;
    const conf_t *conf;
    store_t *store;
    audit_t *audit;
    as_kek_t kek; /* what the keys are to be encrypted under; zero: nothing */
} prepare_t;

/** Encrypts keys that are plain, makes missing ones, puts the declared resources of the settings,
 * and records both and the start. *has_users says whether there is an account. 0, or an exit code
 * after saying why. */
int prepare_store(const prepare_t *p, bool *has_users);

#endif
