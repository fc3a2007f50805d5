#include "cmd/prepare.h"

#include "cmd/admin_test_play.h"
#include "cmd/command.h"
#include "core/log.h"
#include "store/driver.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define ONE                                                                                        \
    "resources:\n"                                                                                 \
    "  - uri: https://rs.test/mcp\n"                                                               \
    "    name: Files\n"                                                                            \
    "    scopes:\n"                                                                                \
    "      files:read: Read files\n"
#define CHANGED                                                                                    \
    "resources:\n"                                                                                 \
    "  - uri: https://rs.test/mcp\n"                                                               \
    "    name: Files and folders\n"                                                                \
    "    scopes:\n"                                                                                \
    "      files:read: Read files\n"
#define TWO                                                                                        \
    ONE "  - uri: https://other.test/mcp\n"                                                        \
        "    name: Other\n"
#define NONE "log_level: error\n"

/* A store that passes on to another until it is told otherwise. */
typedef struct {
    store_t base;
    store_t *real;
    rc_t connect, ask, apply; /* RC_OK: works */
    int apply_ok;             /* calls that still work before that */
    int applies;              /* seen */
    void (*race)(void *arg);  /* runs once, right in front of the next apply */
    void *arg;
    pthread_barrier_t *looked; /* those who start together meet here after their first look */
} double_t;

typedef struct {
    store_conn_t base;
    double_t *d;
    store_conn_t *real;
} double_conn_t;

static const store_driver_t DOUBLE;

static rc_t double_connect(store_t *base, post_port_t post, store_conn_t **out)
{
    double_t *d = (double_t *)base;
    if (d->connect != RC_OK)
        return d->connect;
    double_conn_t *c = calloc(1, sizeof *c);
    assert_non_null(c);
    *c = (double_conn_t){.base = {&DOUBLE}, .d = d};
    *out = &c->base;
    return store_connect(d->real, post, &c->real);
}

static void double_disconnect(store_conn_t *base)
{
    double_conn_t *c = (double_conn_t *)base;
    store_disconnect(c->real);
    free(c);
}

static void double_ask(store_conn_t *base, arena_t *a, ask_t *asks, size_t n, store_done_t done,
                       void *ctx)
{
    double_conn_t *c = (double_conn_t *)base;
    if (c->d->ask != RC_OK)
        done(ctx, c->d->ask, 0);
    else
        store_ask(c->real, a, asks, n, done, ctx);
}

static void double_apply(store_conn_t *base, const effects_t *effects, store_done_t done, void *ctx)
{
    double_conn_t *c = (double_conn_t *)base;
    double_t *d = c->d;
    void (*race)(void *) = d->race;
    d->race = NULL;
    if (d->applies++ == 0 && d->looked)
        pthread_barrier_wait(d->looked);
    if (race)
        race(d->arg);
    if (d->apply != RC_OK && d->apply_ok-- <= 0)
        done(ctx, d->apply, 0);
    else
        store_apply(c->real, effects, done, ctx);
}

static const store_driver_t DOUBLE = {
    .name = "double",
    .connect = double_connect,
    .disconnect = double_disconnect,
    .ask = double_ask,
    .apply = double_apply,
};

static const conf_t *load(arena_t *a, const char *yaml)
{
    const conf_t *conf;
    str_t why;
    const conf_sources_t sources = {.file_name = STR("test.yaml"), .file = str_c(yaml)};
    if (conf_load(a, &sources, &conf, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    return conf;
}

static void drop(void *ctx, str_t line)
{
    (void)ctx;
    (void)line;
}

static const log_t QUIET = {.write = drop, .min = LOG_ERROR};

/* One process that starts on the data folder of the play, with a store of its own. */
typedef struct {
    arena_t *a;
    audit_t *audit;
    double_t store;
    prepare_t p;
    bool in_memory;  /* nothing of its store outlives it */
    const char *kek; /* NULL: none */
    bool has_users;
    int code;
} start_t;

static void open_start(const admin_play_t *play, const char *yaml, start_t *s)
{
    str_t why;
    s->a = arena_new(8 << 20);
    assert_non_null(s->a);
    const store_config_t config = {
        .driver = s->in_memory ? STR("memory") : STR("sqlite"),
        .path = arena_printf(s->a, "%s/warder.db", play->folder),
        .log = &QUIET,
        .clock = clock_system(),
    };
    const audit_config_t trail = {arena_printf(s->a, "%s/audit.log", play->folder), &QUIET,
                                  clock_system()};
    s->store.base.driver = &DOUBLE;
    assert_int_equal(store_open(s->a, &config, &s->store.real, &why), RC_OK);
    assert_int_equal(audit_open(s->a, &trail, &s->audit, &why), RC_OK);
    s->p = (prepare_t){s->a, load(s->a, yaml), &s->store.base, s->audit};
    if (s->kek)
        assert_int_equal(as_kek_read(s->a, str_c(s->kek), &s->p.kek), RC_OK);
}

/* As the server does it. */
static int prepare_store(const prepare_t *p, bool *has_users)
{
    str_t key;
    int code = prepare_keys(p, STR("a test"), &key);
    if (code == EXIT_DONE &&
        prepare_resources(p, p->conf->resources, p->conf->n_resources) != RC_OK)
        code = command_fail(EXIT_FAILED,
                            "keys and resources could not be prepared in the store (RC_IO)");
    return code == EXIT_DONE ? prepare_start(p, has_users) : code;
}

static void prepare(void *arg)
{
    start_t *s = arg;
    s->code = prepare_store(&s->p, &s->has_users);
}

static void close_start(start_t *s)
{
    audit_close(s->audit);
    store_close(s->store.real);
    arena_free(s->a);
}

/* A whole start with these settings; whether there are accounts. */
static bool start(const admin_play_t *play, const char *yaml)
{
    start_t s = {0};
    open_start(play, yaml, &s);
    prepare(&s);
    close_start(&s);
    assert_int_equal(s.code, EXIT_DONE);
    return s.has_users;
}

/* How many lines of the trail have `event`. */
static size_t events(admin_play_t *p, const char *event)
{
    char part[96];
    size_t n = 0;
    snprintf(part, sizeof part, "\"event\":\"%s\"", event);
    for (const char *at = admin_play_trail(p); (at = strstr(at, part)); at++)
        n++;
    return n;
}

static ask_t look(admin_play_t *p, ask_kind_t kind)
{
    ask_t question = {.kind = kind};
    if (!p->store)
        admin_play_store(p);
    admin_play_ask(p, &question);
    return question;
}

static size_t current_keys(admin_play_t *p, key_use_t use)
{
    size_t n = 0;
    ask_t keys = look(p, ASK_KEYS);
    for (size_t i = 0; i < keys.count; i++)
        n += keys.u.keys[i].use == use && keys.u.keys[i].state == KEY_CURRENT;
    return n;
}

static void first_start_makes_keys_and_is_recorded(void **state)
{
    admin_play_t *p = *state;
    assert_false(start(p, NONE));
    assert_int_equal(current_keys(p, KEY_SIGN), 1);
    assert_int_equal(current_keys(p, KEY_DERIVE), 1);
    assert_int_equal(events(p, "key.changed"), 1);
    assert_int_equal(events(p, "server"), 1);
    assert_int_equal(events(p, "resource.changed"), 0);
    assert_non_null(strstr(admin_play_trail(p), "made and activated key"));
    assert_non_null(strstr(admin_play_trail(p), "\"reason\":\"started\""));
}

static void second_start_makes_nothing_new(void **state)
{
    admin_play_t *p = *state;
    start(p, ONE);
    ask_t before = look(p, ASK_KEYS);
    start(p, ONE);
    ask_t after = look(p, ASK_KEYS);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < before.count; i++)
        assert_true(str_eq(after.u.keys[i].kid, before.u.keys[i].kid));
    assert_int_equal(events(p, "key.changed"), 1);
    assert_int_equal(events(p, "resource.changed"), 1);
    assert_int_equal(events(p, "server"), 2);
}

static void declared_resources_are_put_and_recorded(void **state)
{
    admin_play_t *p = *state;
    start(p, TWO);
    ask_t resources = look(p, ASK_RESOURCES);
    assert_int_equal(resources.count, 2);
    assert_true(str_eq(resources.u.resources[0].uri, STR("https://other.test/mcp")));
    assert_true(str_eq(resources.u.resources[1].uri, STR("https://rs.test/mcp")));
    assert_int_equal(events(p, "resource.changed"), 2);
    assert_non_null(strstr(admin_play_trail(p), "\"resource\":\"https://other.test/mcp\""));
}

static void resource_is_put_again_only_when_it_changed(void **state)
{
    admin_play_t *p = *state;
    start(p, ONE);
    start(p, TWO); /* one more, and the one as it is */
    assert_int_equal(events(p, "resource.changed"), 2);
    start(p, CHANGED);
    assert_int_equal(events(p, "resource.changed"), 3);
    ask_t resources = look(p, ASK_RESOURCES);
    assert_int_equal(resources.count, 2); /* what is not declared any more stays */
    assert_true(str_eq(resources.u.resources[1].name, STR("Files and folders")));
}

static void accounts_are_seen(void **state)
{
    admin_play_t *p = *state;
    assert_false(start(p, NONE));
    admin_play_user(p, "alice");
    assert_true(start(p, NONE));
}

#define KEY_1 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="
#define KEY_2 "ABECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

static void start_with_key(const admin_play_t *play, const char *kek)
{
    start_t s = {.kek = kek};
    open_start(play, NONE, &s);
    prepare(&s);
    close_start(&s);
    assert_int_equal(s.code, EXIT_DONE);
}

static void all_sealed(admin_play_t *p, bool sealed)
{
    ask_t keys = look(p, ASK_KEYS);
    assert_int_equal(keys.count, 3);
    for (size_t i = 0; i < keys.count; i++)
        assert_int_equal(str_is_set(keys.u.keys[i].sealed_by), sealed);
}

static void start_with_a_key_makes_encrypted_keys(void **state)
{
    start_with_key(*state, KEY_1);
    start_with_key(*state, KEY_1);
    all_sealed(*state, true);
    assert_int_equal(events(*state, "key.changed"), 1);
}

static bool database_has(const admin_play_t *p, str_t secret)
{
    static char bytes[1 << 20];
    char path[96];
    snprintf(path, sizeof path, "%s/warder.db", p->folder);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n > 0 && n < sizeof bytes);
    return str_contains(str_of(bytes, n), secret);
}

static void shut_store(admin_play_t *p)
{
    store_disconnect(p->conn);
    store_close(p->store);
    p->conn = NULL;
    p->store = NULL;
}

static void first_start_with_a_key_encrypts_what_is_plain(void **state)
{
    admin_play_t *p = *state;
    start(p, NONE);
    all_sealed(p, false);
    ask_t plain = look(p, ASK_KEYS);
    shut_store(p);
    for (size_t i = 0; i < plain.count; i++)
        assert_true(database_has(p, plain.u.keys[i].secret));
    start_with_key(p, KEY_1);
    for (size_t i = 0; i < plain.count; i++)
        assert_false(database_has(p, plain.u.keys[i].secret));
    all_sealed(p, true);
    ask_t sealed = look(p, ASK_KEYS);
    for (size_t i = 0; i < plain.count; i++)
        assert_true(str_eq(plain.u.keys[i].kid, sealed.u.keys[i].kid));
    assert_int_equal(events(p, "key.changed"), 2);
    assert_non_null(strstr(admin_play_trail(p), "all keys are encrypted under key "));
}

typedef struct {
    const admin_play_t *play;
    const char *kek;
} wrong_start_t;

static int start_in_child(void *arg)
{
    const wrong_start_t *w = arg;
    start_t s = {.kek = w->kek};
    open_start(w->play, NONE, &s);
    prepare(&s);
    close_start(&s);
    return s.code;
}

static void refuses_to_start(admin_play_t *p, const char *kek, const char *says)
{
    wrong_start_t w = {p, kek};
    test_child(start_in_child, &w, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_SETTING);
    assert_one_line(&p->ran);
    if (!strstr(p->ran.err, says))
        fail_msg("'%s' is not in: %s", says, p->ran.err);
}

static void plant(admin_play_t *p, const key_record_t *r)
{
    once_result_t result = {0};
    effects_t effects = {.n = 0};
    key_record_t becomes[4];
    ask_t was = look(p, ASK_KEYS);
    assert_int_equal(was.count, 3);
    memcpy(becomes, was.u.keys, 3 * sizeof *becomes);
    becomes[3] = *r;
    const key_change_t change = {was.u.keys, 3, becomes, 4};
    effects_add(&effects, EFFECT_KEYS_REPLACE, 1)->u.key_change = &change;
    store_apply(p->conn, &effects, once_done, &result);
    once_wait(&p->once, &result);
    assert_int_equal(result.rc, RC_OK);
    shut_store(p);
}

/* What somebody writes who holds the server, before they end it. */
static void a_planted_signing_key_stops_the_start(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    const key_record_t planted = {.kid = STR("planted"),
                                  .alg = STR("ES256"),
                                  .secret = STR("a secret of somebody else's"),
                                  .use = KEY_SIGN,
                                  .state = KEY_NEXT,
                                  .created_at = 1};
    start_with_key(p, KEY_1);
    plant(p, &planted);
    refuses_to_start(p, KEY_1, "remove it with: warder admin key remove planted");
    const char *file = test_file(p->folder, "kek", KEY_1);
    assert_int_equal(chmod(file, 0600), 0);
    snprintf(line, sizeof line, "admin key reseal --key-file %s --new-key-file %s", file, file);
    admin_play_refused(p, line, EXIT_SETTING, "so no server made it");
    snprintf(line, sizeof line, "admin key remove planted --key-file %s", file);
    admin_play_run(p, line);
    start_with_key(p, KEY_1);
}

static void start_without_the_key_or_with_another_is_refused(void **state)
{
    admin_play_t *p = *state;
    start_with_key(p, KEY_1);
    refuses_to_start(p, NULL, "give it by key_file, the credential warder-key or WARDER_KEY");
    refuses_to_start(p, KEY_2, "and the one given is '");
    assert_int_equal(events(p, "server"), 1);
    start_with_key(p, KEY_1);
    assert_int_equal(events(p, "server"), 2);
}

/* Another process makes its keys after this one has looked and found none. */
static void start_that_loses_the_race_takes_the_keys_that_are_there(void **state)
{
    admin_play_t *p = *state;
    start_t slow = {0}, fast = {0};
    open_start(p, NONE, &slow);
    open_start(p, NONE, &fast);
    slow.store.race = prepare;
    slow.store.arg = &fast;
    prepare(&slow);
    assert_int_equal(slow.store.applies, 1); /* in conflict, and then there is nothing to do */
    close_start(&slow);
    close_start(&fast);
    assert_int_equal(fast.code, EXIT_DONE);
    assert_int_equal(slow.code, EXIT_DONE);
    assert_int_equal(current_keys(p, KEY_SIGN), 1);
    assert_int_equal(current_keys(p, KEY_DERIVE), 1);
    assert_int_equal(events(p, "key.changed"), 1);
    assert_int_equal(events(p, "server"), 2);
}

static void *prepare_thread(void *arg)
{
    prepare(arg);
    return NULL;
}

/* All of them have found no key before one of them makes it. */
static void many_at_once_end_with_one_current_key(void **state)
{
    enum { STARTS = 4 };
    admin_play_t *p = *state;
    start_t starts[STARTS] = {0};
    pthread_t threads[STARTS];
    pthread_barrier_t looked;
    pthread_barrier_init(&looked, NULL, STARTS);
    for (size_t i = 0; i < STARTS; i++) {
        open_start(p, ONE, &starts[i]);
        starts[i].store.looked = &looked;
    }
    for (size_t i = 0; i < STARTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, prepare_thread, &starts[i]), 0);
    for (size_t i = 0; i < STARTS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (size_t i = 0; i < STARTS; i++) {
        assert_int_equal(starts[i].code, EXIT_DONE);
        close_start(&starts[i]);
    }
    pthread_barrier_destroy(&looked);
    assert_int_equal(current_keys(p, KEY_SIGN), 1);
    assert_int_equal(current_keys(p, KEY_DERIVE), 1);
    assert_int_equal(look(p, ASK_RESOURCES).count, 1);
    assert_int_equal(events(p, "key.changed"), 1);
    assert_int_equal(events(p, "server"), STARTS);
}

/* A start in a process of its own, so that what it says can be read. */
typedef struct {
    const admin_play_t *play;
    double_t faults;
} failing_t;

static int fail_to_start(void *arg)
{
    const failing_t *f = arg;
    start_t s = {0};
    open_start(f->play, ONE, &s);
    s.store.connect = f->faults.connect;
    s.store.ask = f->faults.ask;
    s.store.apply = f->faults.apply;
    s.store.apply_ok = f->faults.apply_ok;
    prepare(&s);
    close_start(&s);
    return s.code;
}

static void assert_fails(admin_play_t *p, double_t faults, const char *why)
{
    char says[256];
    failing_t f = {.play = p, .faults = faults};
    test_child(fail_to_start, &f, STR_UNSET, &p->ran);
    snprintf(says, sizeof says,
             "warder: keys and resources could not be prepared in the store (%s)\n", why);
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_string_equal(p->ran.err, says);
    assert_string_equal(p->ran.out, "");
    assert_int_equal(events(p, "server"), 0);
}

static void store_that_cannot_be_opened_fails_with_one_sentence(void **state)
{
    assert_fails(*state, (double_t){.connect = RC_IO}, rc_name(RC_IO));
}

static void store_that_cannot_be_read_fails_with_one_sentence(void **state)
{
    assert_fails(*state, (double_t){.ask = RC_IO}, rc_name(RC_IO));
}

static void store_that_cannot_be_written_fails_with_one_sentence(void **state)
{
    assert_fails(*state, (double_t){.apply = RC_IO}, rc_name(RC_IO));
    assert_int_equal(events(*state, "key.changed"), 0);
}

static void store_that_fails_at_a_resource_fails_with_one_sentence(void **state)
{
    assert_fails(*state, (double_t){.apply = RC_IO, .apply_ok = 1}, rc_name(RC_IO));
    assert_int_equal(events(*state, "key.changed"), 1);
    assert_int_equal(events(*state, "resource.changed"), 0);
}

/* Somebody is always faster: a bug, or a store that lies. */
static void race_that_never_ends_fails_with_one_sentence(void **state)
{
    assert_fails(*state, (double_t){.apply = RC_CONFLICT}, rc_name(RC_CONFLICT));
}

/* No file may grow beyond a few bytes: the trail is longer already, the message is not. */
static int fail_to_record(void *arg)
{
    const struct rlimit few = {256, RLIM_INFINITY};
    start_t s = {.in_memory = true};
    signal(SIGXFSZ, SIG_IGN);
    open_start(arg, NONE, &s);
    if (setrlimit(RLIMIT_FSIZE, &few) != 0)
        return 90;
    prepare(&s);
    close_start(&s);
    return s.code;
}

static void trail_that_cannot_be_written_fails_with_one_sentence(void **state)
{
    admin_play_t *p = *state;
    start(p, NONE);
    test_child(fail_to_record, p, STR_UNSET, &p->ran);
    assert_int_equal(p->ran.code, EXIT_FAILED);
    assert_one_line(&p->ran);
    assert_non_null(strstr(p->ran.err, "could not be prepared in the store (RC_IO)"));
    assert_int_equal(events(p, "server"), 1);
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(first_start_makes_keys_and_is_recorded),
        PLAY_TEST(second_start_makes_nothing_new),
        PLAY_TEST(declared_resources_are_put_and_recorded),
        PLAY_TEST(resource_is_put_again_only_when_it_changed),
        PLAY_TEST(accounts_are_seen),
        PLAY_TEST(start_with_a_key_makes_encrypted_keys),
        PLAY_TEST(first_start_with_a_key_encrypts_what_is_plain),
        PLAY_TEST(a_planted_signing_key_stops_the_start),
        PLAY_TEST(start_without_the_key_or_with_another_is_refused),
        PLAY_TEST(start_that_loses_the_race_takes_the_keys_that_are_there),
        PLAY_TEST(many_at_once_end_with_one_current_key),
        PLAY_TEST(store_that_cannot_be_opened_fails_with_one_sentence),
        PLAY_TEST(store_that_cannot_be_read_fails_with_one_sentence),
        PLAY_TEST(store_that_cannot_be_written_fails_with_one_sentence),
        PLAY_TEST(store_that_fails_at_a_resource_fails_with_one_sentence),
        PLAY_TEST(race_that_never_ends_fails_with_one_sentence),
        PLAY_TEST(trail_that_cannot_be_written_fails_with_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
