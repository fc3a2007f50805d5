/* What the store of a world holds. */
#include "as/as_test_world.h"

#include "as/declared.h"
#include "as/keys.h"
#include "oauth/handle.h"

static void change_keys(world_t *w, store_conn_t *conn, bool rotate)
{
    as_keys_plan_t plan;
    const as_keys_policy_t policy = {
        .conf = w->conf,
        .random = world_random(w),
        .now = atomic_load(&w->ms) / 1000,
        .rotate_now = rotate,
        .at_once = rotate,
    };
    ask_t asked = world_look(w, (ask_t){.kind = ASK_KEYS});
    const as_keys_t keys = {asked.u.keys, asked.count};
    assert_ok(as_keys_plan(w->a, &keys, &policy, &plan));
    assert_true(plan.effects.n > 0);
    assert_ok(world_apply(w, conn, &plan.effects));
}

void world_make_keys(world_t *w)
{
    change_keys(w, w->admin, false);
}

void world_rotate(world_t *w, store_conn_t *conn)
{
    change_keys(w, conn, true);
}

static void put_client(world_t *w, const char *id, client_auth_t auth, uint32_t grants)
{
    bool native = strcmp(id, W_NATIVE) == 0;
    str_t *uri = ARENA_NEW(w->a, str_t);
    client_t *c = ARENA_NEW(w->a, client_t);
    *uri = native ? STR(W_LOOPBACK) : STR(W_REDIRECT);
    *c = (client_t){
        .id = str_c(id),
        .name = STR("Client <b>"),
        .auth = auth,
        .type = native ? CLIENT_NATIVE : CLIENT_WEB,
        .has_secret = auth != CLIENT_AUTH_NONE,
        .grants = grants,
        .redirect_uris = {uri, 1},
        .created_at = W_START_S,
    };
    if (strcmp(id, W_SERVICE) == 0) {
        static const str_t SERVES[] = {STR_INIT(W_RESOURCE)}, CALLS[] = {STR_INIT(W_NEXT)};
        c->redirect_uris.n = 0;
        c->resources = (str_list_t){SERVES, 1};
        c->exchange_to = (str_list_t){CALLS, 1};
    }
    if (c->has_secret)
        c->secret_hash = oauth_handle_hash(STR(W_SECRET));
    world_put(w, EFFECT_CLIENT_INSERT, c);
}

static void put_user(world_t *w)
{
    identity_password_hash_t hash;
    assert_ok(identity_password_hash(&WORLD_COST, secret_of(STR(W_PASSWORD)), &hash));
    const user_t user = {
        .id = STR(W_USER_ID),
        .name = STR(W_USER),
        .password = identity_password_hash_text(&hash),
        .created_at = W_START_S,
        .password_changed_at = W_START_S,
    };
    world_put(w, EFFECT_USER_INSERT, &user);
}

void world_fill(world_t *w)
{
    static const struct {
        const char *id;
        client_auth_t auth;
        uint32_t grants;
    } CLIENTS[] = {
        {W_PUBLIC, CLIENT_AUTH_NONE, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN},
        {W_NATIVE, CLIENT_AUTH_NONE, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN},
        {W_BASIC, CLIENT_AUTH_SECRET_BASIC, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN},
        {W_POSTED, CLIENT_AUTH_SECRET_POST, GRANT_AUTHORIZATION_CODE | GRANT_REFRESH_TOKEN},
        {W_MACHINE, CLIENT_AUTH_SECRET_BASIC, GRANT_CLIENT_CREDENTIALS},
        {W_SERVICE, CLIENT_AUTH_SECRET_BASIC, GRANT_TOKEN_EXCHANGE},
        {W_DEVICE, CLIENT_AUTH_NONE, GRANT_DEVICE_CODE | GRANT_REFRESH_TOKEN},
    };
    resource_t resource;
    assert_ok(as_declared_resource(w->a, &w->conf->resources[0], W_START_S, &resource));
    world_put(w, EFFECT_RESOURCE_PUT, &resource);
    for (size_t i = 0; i < sizeof CLIENTS / sizeof CLIENTS[0]; i++)
        put_client(w, CLIENTS[i].id, CLIENTS[i].auth, CLIENTS[i].grants);
    put_user(w);
    world_make_keys(w);
}
