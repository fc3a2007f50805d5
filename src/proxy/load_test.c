/* Settings that are refused have done nothing. */
#include "proxy/gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf_policy.h"

enum { NAPS = 300 };

typedef struct {
    arena_t *a;
    audit_t *audit;
    gateway_t *gateway;
    char folder[64], mark[96], trail[96];
    str_t words[4];
    conf_upstream_t upstreams[2];
    conf_t conf;
} world_t;

static int setup(void **state)
{
    static world_t w;
    str_t why;
    w = (world_t){.a = arena_new(16 << 20), .folder = "/tmp/warder-load-XXXXXX"};
    assert_non_null(mkdtemp(w.folder));
    snprintf(w.mark, sizeof w.mark, "%s/mark", w.folder);
    snprintf(w.trail, sizeof w.trail, "%s/audit.log", w.folder);
    const audit_config_t audit = {.path = str_c(w.trail), .clock = clock_system()};
    assert_int_equal(audit_open(w.a, &audit, &w.audit, &why), RC_OK);
    const gateway_config_t config = {
        .audit = w.audit, .clock = clock_system(), .random = random_system()};
    assert_int_equal(gateway_new(&config, &w.gateway), RC_OK);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world_t *w = *state;
    gateway_free(w->gateway);
    audit_close(w->audit);
    unlink(w->mark);
    unlink(w->trail);
    rmdir(w->folder);
    arena_free(w->a);
    return 0;
}

static bool is_marked(const world_t *w)
{
    const struct timespec nap = {0, 10000000};
    for (int i = 0; i < NAPS && access(w->mark, F_OK) != 0; i++)
        nanosleep(&nap, NULL);
    return access(w->mark, F_OK) == 0;
}

/* A command that leaves a mark, and `others` upstreams whose authorities cannot be read. */
static rc_t load(world_t *w, size_t others, str_t *why)
{
    const str_t words[] = {STR("sh"), STR("-c"), STR("touch \"$0\"; read x"), str_c(w->mark)};
    memcpy(w->words, words, sizeof words);
    w->upstreams[0] = (conf_upstream_t){
        .path = STR("/a"),
        .policy = conf_policy_ready(),
        .child = {.command = {w->words, 4}, .directory = str_c(w->folder), .max_children = 1},
    };
    w->upstreams[1] = (conf_upstream_t){
        .path = STR("/b"),
        .policy = conf_policy_ready(),
        .url = STR("https://127.0.0.1:1/mcp"),
        .certificate_authorities = STR("/none/ca.pem"),
    };
    w->conf = (conf_t){.upstreams = w->upstreams, .n_upstreams = 1 + others};
    const gateway_settings_t settings = {.conf = &w->conf, .issuer = STR("http://127.0.0.1:8080")};
    return gateway_load(w->gateway, w->a, &settings, why);
}

static void a_command_is_not_run_for_refused_settings(void **state)
{
    str_t why;
    world_t *w = *state;
    assert_int_equal(load(w, 1, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("certificate_authorities")));
    assert_false(is_marked(w));
    assert_int_equal(load(w, 0, &why), RC_OK);
    assert_true(is_marked(w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_not_run_for_refused_settings, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
