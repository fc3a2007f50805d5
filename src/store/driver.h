/* What a driver provides; store.c passes each call to the one that was opened. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/upkeep.h"

typedef struct {
    const char *name; /* as in store_config_t.driver */
    bool shared;      /* by machines, whose clocks are not quite the same */
    rc_t (*open)(arena_t *a, const store_config_t *config, store_t **out, str_t *why);
    void (*close)(store_t *s);
    rc_t (*connect)(store_t *s, post_port_t post, store_conn_t **out);
    void (*disconnect)(store_conn_t *c);
    void (*ask)(store_conn_t *c, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx);
    void (*apply)(store_conn_t *c, const effects_t *effects, store_done_t done, void *ctx);
    uint64_t (*generation)(store_conn_t *c);
    void (*expire)(store_conn_t *c, store_expire_t *expire, store_done_t done, void *ctx);
    void (*forget)(store_conn_t *c, store_forget_t *forget, store_done_t done, void *ctx);
    void (*health)(store_t *s, store_health_t *out); /* NULL: it is up */

    /* upkeep.h; NULL: it cannot */
    rc_t (*dump)(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why);
    rc_t (*fill)(store_t *s, arena_t *a, const store_source_t *source, str_t *why);
    rc_t (*stats)(store_t *s, store_stats_t *out, arena_t *a, str_t *why);
    rc_t (*check)(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why);
    rc_t (*backup)(store_t *s, arena_t *a, const char *path, str_t *why);
    rc_t (*hold)(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why);
    rc_t (*open_held)(arena_t *a, const store_config_t *config, store_t **out, store_hold_t **hold,
                      str_t *why);
    void (*release)(store_hold_t *hold);
    rc_t (*idle)(const store_config_t *config, arena_t *a, bool *idle, str_t *why);
} store_driver_t;

/* After a filling: ends the families that an entry about their client, or about everybody, is to
 * end. Exports of PostgreSQL stores have held such families as alive. */
#define STORE_END_FAMILIES(entry)                                                                  \
    "UPDATE family SET revoked_at=(SELECT max(at) FROM revoked WHERE " entry                       \
    "), revoked_reason='revoked_by_admin' WHERE revoked_at=0 AND created_at<=(SELECT max(at) "     \
    "FROM revoked WHERE " entry ")"
#define STORE_END_FAMILIES_CLIENT STORE_END_FAMILIES("kind=3 AND key=family.client_id")
#define STORE_END_FAMILIES_ALL    STORE_END_FAMILIES("kind=4 AND key=''")

/* The same for what a family could still be made of: codes and approvals that were written down
 * behind the entry, by a decision that was on its way. Spent codes stay: they tell of replays. */
#define STORE_ENDED(t)                                                                             \
    "EXISTS(SELECT 1 FROM revoked WHERE at>=" t ".created_at AND ((kind=3 AND key=" t              \
    ".client_id) OR (kind=4 AND key='')))"
/* When it ended, and why: the entry of a client that is gone came with its deletion. */
#define STORE_ENDED_AT(t)                                                                          \
    "(SELECT max(at) FROM revoked WHERE at>=" t ".created_at AND ((kind=3 AND key=" t              \
    ".client_id) OR (kind=4 AND key='')))"
#define STORE_ENDED_BY(t)                                                                          \
    "CASE WHEN EXISTS(SELECT 1 FROM client WHERE id=" t ".client_id AND deleted_at=0) OR "         \
    "EXISTS(SELECT 1 FROM revoked WHERE kind=4 AND key='' AND at>=" t                              \
    ".created_at) THEN 'revoked_by_admin' ELSE 'client_deleted' END"
#define STORE_END_CODES   "DELETE FROM code WHERE consumed_at=0 AND " STORE_ENDED("code")
#define STORE_END_DEVICES "UPDATE device SET state=2 WHERE state=1 AND " STORE_ENDED("device")

/* The first member of a driver's own structs. */
struct store {
    const store_driver_t *driver;
};
struct store_conn {
    const store_driver_t *driver;
};
struct store_hold {
    const store_driver_t *driver;
};

/** The driver of that name, or NULL. */
const store_driver_t *store_driver(str_t name);

extern const store_driver_t STORE_SQLITE;
/** SQLite's engine on memory alone: nothing outlives the process. */
extern const store_driver_t STORE_MEMORY;
/** Many processes over one PostgreSQL server. */
extern const store_driver_t STORE_POSTGRES;

#endif
