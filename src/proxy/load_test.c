/* Settings that are refused have done nothing, and what stays in them is left alone. */
#include "proxy/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf_policy.h"

enum { NAPS = 6000, FEW_NAPS = 300 /* for what must not come */ };

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

static bool is_marked(const world_t *w, int naps)
{
    const struct timespec nap = {0, 10000000};
    for (int i = 0; i < naps && access(w->mark, F_OK) != 0; i++)
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
    assert_false(is_marked(w, FEW_NAPS));
    assert_int_equal(load(w, 0, &why), RC_OK);
    assert_true(is_marked(w, NAPS));
}

enum { STARTS_MAX = 16 };

/* The pids that started children have left, a line each. */
static size_t starts(const world_t *w, pid_t pids[STARTS_MAX])
{
    char text[4096] = "", *at = text, *end;
    int fd = open(w->mark, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    size_t n = 0;
    if (fd >= 0)
        close(fd);
    for (long pid; got > 0 && n < STARTS_MAX && (pid = strtol(at, &end, 10)) > 0; at = end)
        pids[n++] = (pid_t)pid;
    return n;
}

static bool comes_to(const world_t *w, size_t n)
{
    const struct timespec nap = {0, 10000000};
    pid_t pids[STARTS_MAX];
    for (int i = 0; i < NAPS && starts(w, pids) < n; i++)
        nanosleep(&nap, NULL);

    return starts(w, pids) == n;
}

static bool is_gone(pid_t pid)
{
    const struct timespec nap = {0, 10000000};
    for (int i = 0; i < NAPS && kill(pid, 0) == 0; i++)
        nanosleep(&nap, NULL);
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* One that tells its pid and says nothing; another upstream beside it. */
static void set_child(world_t *w)
{
    const str_t words[] = {STR("sh"), STR("-c"), STR("echo $$ >> \"$0\"; while read x; do :; done"),
                           str_c(w->mark)};
    memcpy(w->words, words, sizeof words);
    w->upstreams[0] = (conf_upstream_t){
        .path = STR("/a"),
        .policy = conf_policy_ready(),
        .child = {.command = {w->words, 4}, .directory = str_c(w->folder), .max_children = 1},
    };
    w->upstreams[1] = (conf_upstream_t){
        .path = STR("/b"), .policy = conf_policy_ready(), .url = STR("http://127.0.0.1:1/mcp")};
    w->conf = (conf_t){.upstreams = w->upstreams, .n_upstreams = 1};
}

static void load_again(world_t *w)
{
    str_t why;
    const gateway_settings_t settings = {.conf = &w->conf, .issuer = STR("http://127.0.0.1:8080")};
    assert_int_equal(gateway_load(w->gateway, w->a, &settings, &why), RC_OK);
}

static void children_of_settings_that_stay_are_left_alone(void **state)
{
    const struct timespec nap = {0, 300000000};
    pid_t pids[STARTS_MAX];
    world_t *w = *state;
    set_child(w);
    load_again(w);
    assert_true(comes_to(w, 1));
    starts(w, pids);
    w->conf.n_upstreams = 2; /* another one comes */
    load_again(w);
    w->upstreams[0].name = STR("Another name"); /* of the same */
    w->upstreams[0].child.start_s = 30;         /* which is the default */
    load_again(w);
    w->conf.n_upstreams = 1;
    load_again(w);
    nanosleep(&nap, NULL);
    assert_true(comes_to(w, 1));
    assert_int_equal(kill(pids[0], 0), 0);
    w->upstreams[0] = w->upstreams[1]; /* it goes */
    load_again(w);
    assert_true(is_gone(pids[0]));
}

static void a_child_is_started_anew_where_its_settings_change(void **state)
{
    static const str_t ENVIRONMENT[] = {STR_INIT("A=b")};
    pid_t pids[STARTS_MAX];
    world_t *w = *state;
    conf_child_t *c = &w->upstreams[0].child;
    set_child(w);
    load_again(w);
    assert_true(comes_to(w, 1));
    for (size_t i = 0; i < 9; i++) {
        c->environment = (str_list_t){ENVIRONMENT, 1};
        c->directory = i >= 1 ? STR("/tmp") : c->directory;
        c->memory_mb = i >= 2 ? 512 : 0;
        c->idle_s = i >= 3 ? 100 : 0;
        c->shared = i >= 4;
        c->max_children = i >= 5 ? 2 : 1;
        c->message_bytes = i >= 6 ? 1 << 20 : 0;
        c->starts_per_minute = i >= 7 ? 60 : 0;
        w->upstreams[0].path = i >= 8 ? STR("/c") : STR("/a");
        load_again(w);
        assert_true(comes_to(w, i + 2));
        starts(w, pids);
        assert_true(is_gone(pids[i]));
    }
    w->words[2] = STR("echo $$ >> \"$0\"; while read y; do :; done");
    load_again(w);
    assert_true(comes_to(w, 11));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_command_is_not_run_for_refused_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(children_of_settings_that_stay_are_left_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_child_is_started_anew_where_its_settings_change, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
