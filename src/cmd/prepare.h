/* What must be in the store before the first request is served. */
#ifndef CMD_PREPARE_H
#define CMD_PREPARE_H

#include "as/vault.h"
#include "audit/audit.h"
#include "conf/conf.h"
#include "store/store.h"

typedef struct {
    arena_t *a;
    const conf_t *conf;
    store_t *store;
    audit_t *audit;
    as_kek_t kek;            /* what the keys are to be encrypted under; zero: nothing */
    const as_vault_t *vault; /* who opens and makes them; NULL: this process */
} prepare_t;

enum { PREPARE_KEY_BYTES = 32 };

/** Encrypts keys that are plain, makes missing ones and records it. *key gets PREPARE_KEY_BYTES for
 *  `purpose`, derived from them: the same after a restart, and others once all keys were replaced;
 *  in p->a, and wiped with it. 0, or an exit code after saying why. */
int prepare_keys(const prepare_t *p, str_t purpose, str_t *key);
/** Puts the resources that the settings declare, and records each that is new or changed. RC_OK, or
 *  what failed. */
rc_t prepare_resources(const prepare_t *p, const conf_resource_t *v, size_t n);
/** Records the start. *has_users says whether there is an account. 0, or an exit code after saying
 *  why. */
int prepare_start(const prepare_t *p, bool *has_users);
/** Records one event and waits until it is durable. */
rc_t prepare_record(const prepare_t *p, const audit_event_t *event);

#endif
