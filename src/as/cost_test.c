/* The cost model of docs/SCALE.md: what the real server asks and writes for each thing that people
 * and clients do, and that the page says the same. */
#include "as/as_test_browser.h"
#include "as/as_test_cost.h"
#include "oauth/oauth_test_dpop.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_BYTES = 1 << 18, LOG_BYTES_MAX = 48 << 10, TRAIL_UNIT = 50 };

typedef struct {
    world_t *w;
    browser_t browser; /* W_USER is signed in and has approved W_PUBLIC */
    tokens_t tokens;   /* of W_PUBLIC */
} play_t;

static void go_opaque(world_t *w)
{
    ask_t resources = world_look(w, (ask_t){.kind = ASK_RESOURCES});
    resource_t r = resources.u.resources[0];
    r.token_format = TOKEN_OPAQUE;
    world_put(w, EFFECT_RESOURCE_PUT, &r);
    assert_status(world_get(w, "/jwks"), 200); /* the snapshot is new */
}

static void redeem(play_t *p)
{
    str_t code = browser_walk(&p->browser, W_PUBLIC, "");
    answer_t r = world_post(p->w, "/token", "", code_form(p->w, W_PUBLIC, code));
    p->tokens = answer_tokens(p->w, &r);
}

static void sign_in(play_t *p)
{
    p->browser = browser_new(p->w);
    redeem(p);
}

static void refresh(play_t *p)
{
    answer_t r = world_post(p->w, "/token", "", refresh_form(p->w, W_PUBLIC, p->tokens.refresh));
    p->tokens = answer_tokens(p->w, &r);
}

static void machine_with(play_t *p, const char *more)
{
    str_t headers = arena_printf(p->w->a, "%s%s", world_basic(p->w, W_MACHINE, W_SECRET), more);
    answer_t r = world_post(p->w, "/token", arena_cstr(p->w->a, headers),
                            STR("grant_type=client_credentials&scope=files:write"));
    assert_status(r, 200);
}

static void machine(play_t *p)
{
    machine_with(p, "");
}

static void machine_bound(play_t *p)
{
    jwk_t key = dpop_test_key(p->w->a, ALG_ES256);
    str_t proof =
        dpop_test_good(p->w->a, &key, W_ISSUER "/token", atomic_load(&p->w->ms) / 1000, "");
    machine_with(p, arena_printf(p->w->a, "DPoP: %" PRIstr "\r\n", STR_ARG(proof)).p);
}

static answer_t poll(play_t *p, str_t device_code)
{
    return world_post(p->w, "/token", "",
                      arena_printf(p->w->a,
                                   "client_id=" W_DEVICE "&grant_type=urn:ietf:params:oauth:grant-"
                                   "type:device_code&device_code=%" PRIstr,
                                   STR_ARG(device_code)));
}

static void device(play_t *p)
{
    world_t *w = p->w;
    browser_t b = browser_new(w);
    answer_t r = world_post(w, "/device_authorization", "", STR("client_id=" W_DEVICE));
    const json_t *asked = answer_json(w, &r);
    str_t code = json_get_str(asked, STR("device_code"));
    r = poll(p, code);
    assert_text(answer_error(w, &r), "authorization_pending");
    r = browser_get(&b, STR("/device"));
    r = browser_post(&b, "/device",
                     arena_printf(w->a, "csrf=%" PRIstr "&user_code=%" PRIstr,
                                  STR_ARG(page_field(r.body, "csrf")),
                                  STR_ARG(json_get_str(asked, STR("user_code")))));
    r = browser_login(&b, r.body, W_USER, W_PASSWORD);
    r = browser_get(&b, answer_header(&r, "location"));
    r = browser_post(&b, "/consent", decision_form(w, r.body, "approve"));
    assert_status(r, 200);
    r = poll(p, code);
    answer_tokens(w, &r);
}

static void push(play_t *p)
{
    answer_t r = world_post(p->w, "/par", world_basic(p->w, W_BASIC, W_SECRET),
                            STR("scope=files:write&redirect_uri=https%3A%2F%2Fc.test%2Fcb&state=st"
                                "&response_type=code&code_challenge_method=S256&code_challenge="
                                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    assert_status(r, 201);
}

static str_t register_client_id(play_t *p)
{
    answer_t r = world_ask(
        p->w, world_request(p->w, "POST", STR("/register"), W_JSON,
                            STR("{\"redirect_uris\":[\"https://c.test/cb\"],\"client_name\":"
                                "\"Editor\",\"token_endpoint_auth_method\":\"none\",\"grant_"
                                "types\":[\"authorization_code\",\"refresh_token\"]}")));
    assert_status(r, 201);
    return json_get_str(answer_json(p->w, &r), STR("client_id"));
}

static void register_client(play_t *p)
{
    assert_true(str_is_set(register_client_id(p)));
}

static void sign_in_new(play_t *p)
{
    browser_t b = browser_new(p->w);
    const char *id = arena_cstr(p->w->a, register_client_id(p));
    str_t code = browser_walk(&b, id, "");
    answer_t r = world_post(p->w, "/token", "", code_form(p->w, id, code));
    answer_tokens(p->w, &r);
}

static void revoke(play_t *p, str_t token)
{
    str_t form = arena_printf(p->w->a, "client_id=" W_PUBLIC "&token=%" PRIstr, STR_ARG(token));
    assert_status(world_post(p->w, "/revoke", "", form), 200);
}

static void revoke_refresh(play_t *p)
{
    revoke(p, p->tokens.refresh);
}

static void revoke_access(play_t *p)
{
    revoke(p, p->tokens.access);
}

static void introspect(play_t *p)
{
    answer_t r = world_post(p->w, "/introspect", world_basic(p->w, W_SERVICE, W_SECRET),
                            arena_printf(p->w->a, "token=%" PRIstr, STR_ARG(p->tokens.access)));
    assert_true(str_contains(r.body, STR("\"active\":true")));
}

static void follow(play_t *p)
{
    assert_status(world_get(p->w, "/revocations?since=1"), 200);
}

static void metadata(play_t *p)
{
    assert_status(world_get(p->w, "/jwks"), 200);
}

/* ---- the table ---- */

enum {
#define FLOW(name, about, effects) FLOW_##name,
#include "../../test/scale/flows.def"
#undef FLOW
    N_FLOWS
};

static const struct {
    const char *name, *about, *effects;
} FLOWS[N_FLOWS] = {
#define FLOW(name, about, effects) {#name, about, effects},
#include "../../test/scale/flows.def"
#undef FLOW
};

static const struct {
    void (*run)(play_t *p);
    enum {
        AS_IT_IS,
        NOBODY,
        OPAQUE,
        STORED
    } before; /* nobody is signed in; tokens are opaque;
               * registrations are rows */
} HOW[N_FLOWS] = {
    [FLOW_SIGN_IN] = {sign_in, NOBODY},
    [FLOW_SIGN_IN_NEW] = {sign_in_new, NOBODY},
    [FLOW_SIGN_IN_AGAIN] = {redeem, AS_IT_IS},
    [FLOW_REFRESH] = {refresh, AS_IT_IS},
    [FLOW_REFRESH_OPAQUE] = {refresh, OPAQUE},
    [FLOW_MACHINE] = {machine, AS_IT_IS},
    [FLOW_MACHINE_BOUND] = {machine_bound, AS_IT_IS},
    [FLOW_MACHINE_OPAQUE] = {machine, OPAQUE},
    [FLOW_DEVICE] = {device, NOBODY},
    [FLOW_PUSH] = {push, AS_IT_IS},
    [FLOW_REGISTER] = {register_client, AS_IT_IS},
    [FLOW_REGISTER_STORED] = {register_client, STORED},
    [FLOW_REVOKE] = {revoke_refresh, AS_IT_IS},
    [FLOW_REVOKE_ACCESS] = {revoke_access, AS_IT_IS},
    [FLOW_INTROSPECT] = {introspect, OPAQUE},
    [FLOW_FOLLOW] = {follow, AS_IT_IS},
    [FLOW_METADATA] = {metadata, AS_IT_IS},
};

static cost_t cost_of(play_t *p, size_t i)
{
    if (HOW[i].before == STORED)
        world_restart(p->w, "registration_stateless", "false");
    if (HOW[i].before == OPAQUE)
        go_opaque(p->w);
    if (HOW[i].before != NOBODY)
        sign_in(p);
    cost_begin(p->w);
    HOW[i].run(p);
    return cost_end(p->w);
}

/* Each in a world of its own: no flow may be cheaper for what another has left. */
static void play(size_t i, cost_t *out, arena_t *a)
{
    void *world;
    assert_int_equal(world_setup_on_disk(&world), 0);
    play_t p = {.w = world};
    *out = cost_of(&p, i);
    out->effects = arena_printf(a, "%" PRIstr, STR_ARG(out->effects));
    world_teardown(&world);
}

static size_t up_to(size_t n, size_t unit)
{
    return (n + unit - 1) / unit;
}

/* Where the pages of a tree lie is a matter of chance, as ids are: the log has no place in the
 * table.
 */
static void put_row(buf_t *b, size_t i, const cost_t *c)
{
    assert_true(c->wal <= c->writes * LOG_BYTES_MAX);
    buf_fmt(b, "| %s | %u | %u | %u | %u | %u | %zu |\n", FLOWS[i].about, c->reads, c->writes,
            c->sqlite, c->postgres, c->events, up_to(c->trail, TRAIL_UNIT) * TRAIL_UNIT);
}

static str_t read_page(arena_t *a)
{
    const char *source = getenv("WARDER_SOURCE");
    str_t path = arena_printf(a, "%s/docs/SCALE.md", source ? source : ".");
    char *page = arena_alloc(a, PAGE_BYTES);
    FILE *f = fopen(arena_cstr(a, path), "r");
    assert_non_null(page);
    assert_non_null(f);
    size_t n = fread(page, 1, PAGE_BYTES, f);
    fclose(f);
    return str_of(page, n);
}

static void each_flow_costs_what_the_page_says(void **state)
{
    (void)state;
    arena_t *a = arena_new(4 << 20);
    buf_t b = buf_new(a, 1 << 16);
    str_t table;
    bool same = true;
    for (size_t i = 0; i < N_FLOWS; i++) {
        cost_t c;
        play(i, &c, a);
        put_row(&b, i, &c);
        if (!str_eq(c.effects, str_c(FLOWS[i].effects))) {
            print_error("FLOW(%s): \"%" PRIstr "\"\n", FLOWS[i].name, STR_ARG(c.effects));
            same = false;
        }
    }
    assert_ok(buf_done(&b, &table));
    bool on_page = str_contains(read_page(a), table);
    if (!on_page)
        fprintf(stderr, "docs/SCALE.md has another table than:\n%" PRIstr, STR_ARG(table));
    arena_free(a);
    assert_true(same && on_page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_flow_costs_what_the_page_says),
    };
    cost_watch_sqlite();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
