#include "cmd/prepare.h"

#include "as/declared.h"
#include "as/keys.h"
#include "cmd/command.h"
#include "cmd/kek.h"
#include "cmd/once.h"
#include "core/arena.h"
#include "jose/digest.h"

enum { ROUNDS_MAX = 20 }; /* other processes that start at the same time */

typedef struct {
    const prepare_t *p;
    store_conn_t *conn;
    once_t once;
    int64_t now;
    /* Keys and resources as they were seen, until this process changes something. */
    bool seen;
    ask_t view[2];
} work_t;

enum { KEYS, RESOURCES };

static rc_t ask(work_t *w, ask_t *questions, size_t n)
{
    once_result_t result = {0};
    store_ask(w->conn, w->p->a, questions, n, once_done, &result);
    once_wait(&w->once, &result);
    return result.rc;
}

static rc_t look(work_t *w)
{
    if (w->seen)
        return RC_OK;
    w->view[KEYS] = (ask_t){.kind = ASK_KEYS};
    w->view[RESOURCES] = (ask_t){.kind = ASK_RESOURCES};
    TRY(ask(w, w->view, 2));
    w->seen = true;
    return RC_OK;
}

static as_keys_t keys_of(const work_t *w)
{
    return (as_keys_t){w->view[KEYS].u.keys, w->view[KEYS].count};
}

static rc_t apply(work_t *w, const effects_t *effects)
{
    once_result_t result = {0};
    w->seen = false;
    store_apply(w->conn, effects, once_done, &result);
    once_wait(&w->once, &result);
    return result.rc;
}

static void recorded(void *ctx, rc_t rc)
{
    once_done(ctx, rc, 0);
}

static rc_t record(work_t *w, const audit_event_t *event)
{
    once_result_t result = {0};
    audit_append(w->p->audit, once_port(&w->once), event, recorded, &result);
    once_wait(&w->once, &result);
    return result.rc;
}

static as_keys_policy_t policy_of(const work_t *w)
{
    return (as_keys_policy_t){.conf = w->p->conf,
                              .random = random_system(),
                              .now = w->now,
                              .kek = w->p->kek,
                              .vault = w->p->vault};
}

static rc_t change_keys(work_t *w, const as_keys_plan_t *plan)
{
    const audit_event_t event = {
        .kind = AUDIT_KEY_CHANGED, .allowed = true, .reason = STR("start"), .detail = plan->about};
    if (plan->effects.n == 0)
        return RC_OK;
    TRY(apply(w, &plan->effects));
    return record(w, &event);
}

/* Keys of before there was one to encrypt them under. RC_CONFLICT: another process was faster;
 * RC_CONFIG: they are encrypted under another key, or one is not as the others are (said). */
static rc_t seal_keys_once(work_t *w)
{
    as_keys_plan_t plan;
    const as_keys_policy_t policy = policy_of(w);
    TRY(look(w));
    const as_keys_t keys = keys_of(w);
    if (kek_check(&w->p->kek, keys.v, keys.n) != EXIT_DONE ||
        kek_check_planted(keys.v, keys.n) != EXIT_DONE)
        return RC_CONFIG;
    TRY(as_keys_reseal(w->p->a, &keys, &w->p->kek, &policy, &plan));
    return change_keys(w, &plan);
}

/* One look at the keys. RC_CONFLICT as above. */
static rc_t make_keys_once(work_t *w)
{
    as_keys_plan_t plan;
    as_keys_policy_t policy = policy_of(w);
    TRY(look(w));
    const as_keys_t keys = keys_of(w);
    policy.resources = w->view[RESOURCES].u.resources;
    policy.n_resources = w->view[RESOURCES].count;
    TRY(as_keys_plan(w->p->a, &keys, &policy, &plan));
    return change_keys(w, &plan);
}

static rc_t until_settled(work_t *w, rc_t (*once)(work_t *w))
{
    rc_t rc = RC_CONFLICT;
    for (int i = 0; rc == RC_CONFLICT && i < ROUNDS_MAX; i++)
        rc = once(w);
    return rc;
}

static rc_t put_resource(work_t *w, const resource_t *resource)
{
    effects_t effects = {.n = 0};
    const audit_event_t event = {
        .kind = AUDIT_RESOURCE_CHANGED,
        .allowed = true,
        .reason = STR("settings"),
        .resource = resource->uri,
    };
    effects_add(&effects, EFFECT_RESOURCE_PUT, w->now)->u.resource = resource;
    TRY(apply(w, &effects));
    return record(w, &event);
}

static bool is_known(const ask_t *resources, const resource_t *resource)
{
    for (size_t i = 0; i < resources->count; i++)
        if (as_declared_same(&resources->u.resources[i], resource))
            return true;
    return false;
}

static rc_t declare_resources(work_t *w, const conf_resource_t *v, size_t n)
{
    ask_t resources = {.kind = ASK_RESOURCES};
    TRY(ask(w, &resources, 1));
    for (size_t i = 0; i < n; i++) {
        resource_t resource;
        TRY(as_declared_resource(w->p->a, &v[i], w->now, &resource));
        if (!is_known(&resources, &resource))
            TRY(put_resource(w, &resource));
    }
    return RC_OK;
}

static rc_t derive(work_t *w, str_t purpose, str_t *out)
{
    str_t root;
    const key_record_t *plain;
    const as_opener_t opener = {w->p->vault, w->p->kek, random_system()};
    uint8_t *key = secret_alloc(w->p->a, SHA256_BYTES);
    if (!key)
        return RC_MEMORY;
    TRY(look(w));
    const as_keys_t keys = keys_of(w);
    TRY(as_vault_open(w->p->a, &opener, keys.v, keys.n, &plain));
    TRY(as_keys_derive(w->p->a, plain, keys.n, &root));
    hmac_sha256(root, purpose, key);
    *out = str_of(key, PREPARE_KEY_BYTES);
    return RC_OK;
}

static rc_t start(work_t *w, bool *has_users)
{
    ask_t users = {.kind = ASK_ANY_USER};
    const audit_event_t started = {.kind = AUDIT_SERVER, .allowed = true, .reason = STR("started")};
    TRY(ask(w, &users, 1));
    *has_users = users.count > 0;
    return record(w, &started);
}

static rc_t open_work(work_t *w, const prepare_t *p)
{
    clock_port_t clock = clock_system();
    *w = (work_t){.p = p, .now = clock_seconds(&clock)};
    once_init(&w->once);
    return store_connect(p->store, once_port(&w->once), &w->conn);
}

static int close_work(work_t *w, rc_t rc)
{
    if (w->conn)
        store_disconnect(w->conn);
    if (rc == RC_CONFIG)
        return EXIT_SETTING;
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_FAILED,
                                      "keys and resources could not be prepared in the store (%s)",
                                      rc_name(rc));
}

int prepare_keys(const prepare_t *p, str_t purpose, str_t *key)
{
    work_t w;
    rc_t rc = open_work(&w, p);
    if (rc == RC_OK)
        rc = until_settled(&w, seal_keys_once);
    if (rc == RC_OK)
        rc = until_settled(&w, make_keys_once);
    if (rc == RC_OK)
        rc = derive(&w, purpose, key);
    return close_work(&w, rc);
}

rc_t prepare_resources(const prepare_t *p, const conf_resource_t *v, size_t n)
{
    work_t w;
    rc_t rc = open_work(&w, p);
    if (rc == RC_OK)
        rc = declare_resources(&w, v, n);
    if (w.conn)
        store_disconnect(w.conn);
    return rc;
}

int prepare_start(const prepare_t *p, bool *has_users)
{
    work_t w;
    rc_t rc = open_work(&w, p);
    if (rc == RC_OK)
        rc = start(&w, has_users);
    return close_work(&w, rc);
}

rc_t prepare_record(const prepare_t *p, const audit_event_t *event)
{
    work_t w = {.p = p};
    once_init(&w.once);
    return record(&w, event);
}
