/* attack cases: OPS-002, OPS-004. The power goes at any moment under decisions of several clients:
 * what was acknowledged, and what anybody read, is there afterwards, whole; of the rest nothing by
 * half. */
#include "store/sqlite_test_power.h"
#include "store/store_test_util.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CLIENTS = 6, STEPS = 24, NAMES = 24, ROUNDS = 40 };

typedef enum { REDEEM, ROTATE, REVOKE, CHANGE_KEYS } way_t;

static const way_t WAYS[CLIENTS] = {REDEEM, ROTATE, REVOKE, CHANGE_KEYS, REDEEM, ROTATE};

/* One that asks for a decision after the other. A code, a token, a family takes two: it is made,
 * and it is used. */
typedef struct {
    way_t way;
    int number;
    int begun, acknowledged; /* decisions */
    char name[NAMES], next[NAMES];
    hash_t code;
    code_t made;
    family_t family;
    refresh_t refresh, successor;
    access_token_t token;
    spent_t spent;
    char kids[3][NAMES];
    key_record_t keys[3];
    key_change_t change;
    effects_t effects;
    test_result_t result;
} client_play_t;

typedef struct {
    client_play_t clients[CLIENTS];
    size_t seen;         /* revocations that somebody read */
    uint32_t sync_fails; /* of so many one; 0: none */
    sqlite3 *reader;
} world_t;

static void name_item(client_play_t *c, int item)
{
    snprintf(c->name, sizeof c->name, "c%d-%d", c->number, item);
    snprintf(c->next, sizeof c->next, "c%d-%d-next", c->number, item);
    c->made = test_code(c->name, str_c(c->name));
    c->code = c->made.id;
    c->family = test_family(str_c(c->name));
    c->refresh = test_refresh(c->name, c->family.id);
    c->successor = test_refresh(c->next, c->family.id);
    c->token = test_access_token(c->name, c->family.id);
    c->spent = (spent_t){c->code, TEST_NOW + 60};
}

static effect_t *add(client_play_t *c, effect_kind_t kind)
{
    return effects_add(&c->effects, kind, TEST_NOW);
}

static void make(client_play_t *c)
{
    if (c->way == REDEEM) {
        add(c, EFFECT_CODE_INSERT)->u.code = &c->made;
        return;
    }
    add(c, EFFECT_FAMILY_INSERT)->u.family = &c->family;
    add(c, EFFECT_REFRESH_INSERT)->u.refresh = &c->refresh;
}

static void use(client_play_t *c)
{
    if (c->way == REVOKE) {
        c->family.revoked_at = TEST_NOW;
        c->family.revoked_reason = STR("revoked");
        add(c, EFFECT_FAMILY_REVOKE)->u.family = &c->family;
        return;
    }
    if (c->way == REDEEM) {
        add(c, EFFECT_CODE_CONSUME)->u.hash = &c->code;
        add(c, EFFECT_FAMILY_INSERT)->u.family = &c->family;
        add(c, EFFECT_REFRESH_INSERT)->u.refresh = &c->refresh;
        add(c, EFFECT_SPEND)->u.spent = &c->spent;
    } else {
        add(c, EFFECT_REFRESH_INSERT)->u.refresh = &c->successor;
        add(c, EFFECT_REFRESH_ROTATE)->u.refresh = &c->refresh;
    }
    add(c, EFFECT_ACCESS_TOKEN_INSERT)->u.access_token = &c->token;
}

static void set_key(client_play_t *c, int at, int number, key_state_t state)
{
    snprintf(c->kids[at], NAMES, "key-%d", number);
    c->keys[at] = (key_record_t){.kid = str_c(c->kids[at]),
                                 .alg = STR("ES256"),
                                 .use = KEY_SIGN,
                                 .state = state,
                                 .secret = STR("secret"),
                                 .created_at = TEST_NOW + number};
}

/* Of the keys `step` - 1 and `step` the older goes and the younger signs; the next one is made. */
static void change_keys(client_play_t *c, int step)
{
    set_key(c, 0, step - 1, KEY_CURRENT);
    set_key(c, 1, step, KEY_CURRENT);
    c->change = (key_change_t){c->keys, step > 0, c->keys + 1, 1};
    add(c, EFFECT_KEYS_REPLACE)->u.key_change = &c->change;
}

static void step(play_t *p, client_play_t *c)
{
    c->effects.n = 0;
    c->result.done = false;
    name_item(c, c->begun / 2);
    if (c->way == CHANGE_KEYS)
        change_keys(c, c->begun);
    else if (c->begun % 2 == 0)
        make(c);
    else
        use(c);
    c->begun++;
    store_apply(p->conn, &c->effects, test_done, &c->result);
}

/* Readers see only what the disk has: what they saw must be there afterwards. */
static void look(play_t *p, world_t *w)
{
    ask_t ask = {.kind = ASK_REVOCATIONS};
    if (power_chance(8) == 0 && play_ask_all(p, &ask, 1) == RC_OK && ask.count > w->seen)
        w->seen = ask.count;
}

/* Another program that reads: logs cannot be emptied meanwhile. */
static void read_for_long(play_t *p, world_t *w)
{
    if (power_chance(40) != 0)
        return;
    if (w->reader) {
        sqlite3_close(w->reader);
        w->reader = NULL;
    } else if (sqlite3_open_v2(p->path, &w->reader, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_exec(w->reader, "BEGIN; SELECT count(*) FROM family", NULL, NULL, NULL);
    }
}

static bool go_on(play_t *p, world_t *w, client_play_t *c)
{
    if (c->begun > 0 && !c->result.done)
        return true;
    if (c->begun > 0 && c->result.rc != RC_OK) {
        assert_int_equal(c->result.rc, RC_IO);
        assert_true(w->sync_fails > 0 || power_is_lost());
        c->begun -= !power_is_lost(); /* nothing was changed: the same again */
    }
    if (power_is_lost() && c->result.rc != RC_OK)
        return false;
    c->acknowledged = c->begun;
    if (c->begun == STEPS)
        return false;
    step(p, c);
    look(p, w);
    read_for_long(p, w);
    return true;
}

static bool is_waited_for(const client_play_t *c)
{
    return c->begun > 0 && !c->result.done;
}

/* Until all are through, or the power is gone. */
static void run(play_t *p, world_t *w)
{
    for (bool going = true; going;) {
        bool waits = false;
        going = false;
        for (int i = 0; i < CLIENTS; i++) {
            going |= go_on(p, w, &w->clients[i]);
            waits |= is_waited_for(&w->clients[i]);
        }
        if (waits)
            test_loop_step(&p->loop);
    }
}

/* The store on a new disk. False: the power went before it was open. */
static bool open_on_disk(play_t *p, const world_t *w)
{
    store_config_t config = {
        .driver = STR("sqlite"), .path = str_c(p->path), .clock = clock_fake(&p->clock)};
    str_t why = STR_UNSET;
    if (store_open(p->a, &config, &p->store, &why) != RC_OK) {
        assert_true(w->sync_fails > 0 || power_is_lost());
        p->store = NULL;
        return false;
    }
    if (store_connect(p->store, test_loop_port(&p->loop), &p->conn) == RC_OK)
        return true;
    assert_true(w->sync_fails > 0 || power_is_lost());
    store_close(p->store);
    p->store = NULL;
    return false;
}

/* 0: nothing of the item is there; 1: it was made; 2: it was used. Never a half. */
static int state_of(play_t *p, client_play_t *c, int item)
{
    name_item(c, item);
    const code_t *code = get_code(p, c->name);
    const family_t *family = get_family(p, c->family.id);
    const refresh_t *refresh = get_refresh(p, c->name), *next = get_refresh(p, c->next);
    bool token = get_access_token(p, c->name) != NULL;
    assert_int_equal(family != NULL, refresh != NULL);
    if (c->way == REDEEM) {
        bool used = code && code->consumed_at != 0;
        assert_true(used == (family != NULL) && used == token);
        return code ? 1 + used : 0;
    }
    bool used = family && (c->way == REVOKE ? family->revoked_at != 0 : refresh->uses == 1);
    assert_int_equal(next != NULL, used && c->way == ROTATE);
    assert_int_equal(token, used && c->way == ROTATE);
    return family ? 1 + used : 0;
}

static int decisions_there(play_t *p, client_play_t *c)
{
    int n = 0;
    for (int item = 0; item <= STEPS / 2; item++) {
        int state = state_of(p, c, item);
        assert_true(state == 0 || n == 2 * item);
        n += state;
    }
    return n;
}

static int key_changes_there(play_t *p)
{
    ask_t ask = {.kind = ASK_KEYS};
    play_ask(p, &ask);
    if (ask.count == 0)
        return 0;
    assert_int_equal(ask.count, 1);
    return (int)(ask.u.keys[0].created_at - TEST_NOW) + 1;
}

/* Numbers without a gap, in the order in which they were given; what comes now has the next. */
static void check_revocations(play_t *p, const world_t *w, const client_play_t *c, int decisions)
{
    ask_t ask = {.kind = ASK_REVOCATIONS};
    play_ask(p, &ask);
    assert_int_equal(ask.count, decisions / 2);
    assert_true(ask.count >= w->seen);
    for (size_t i = 0; i < ask.count; i++) {
        char name[NAMES];
        snprintf(name, sizeof name, "c%d-%d", c->number, (int)i);
        assert_int_equal(ask.u.revoked[i].seq, i + 1);
        assert_str(ask.u.revoked[i].key, str_c(name));
    }
    revoked_t r = {.kind = REVOKED_TOKEN, .key = STR("after"), .at = TEST_NOW};
    play_add(p, EFFECT_REVOCATION_PUT)->u.revoked = &r;
    assert_applied(p);
    ask_t after = {.kind = ASK_REVOCATIONS, .since = (int64_t)ask.count};
    play_ask(p, &after);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.u.revoked[0].seq, ask.count + 1);
}

static void check_integrity(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(s, 0), "ok");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void check(play_t *p, world_t *w)
{
    check_integrity(p->path);
    for (int i = 0; i < CLIENTS; i++) {
        client_play_t *c = &w->clients[i];
        int there = c->way == CHANGE_KEYS ? key_changes_there(p) : decisions_there(p, c);
        assert_true(there >= c->acknowledged);
        assert_true(there <= c->begun);
        if (c->way == REVOKE)
            check_revocations(p, w, c, there);
        /* The store goes on where it was. */
        c->begun = there;
        step(p, c);
        while (!c->result.done)
            test_loop_step(&p->loop);
        assert_int_equal(c->result.rc, RC_OK);
    }
}

static play_t *begin_play(void)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(64 << 20);
    p->driver = "sqlite";
    p->clock.ms = (int64_t)TEST_NOW * 1000;
    test_loop_init(&p->loop);
    snprintf(p->dir, sizeof p->dir, "/tmp/warder-power-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/was", p->dir);
    return p;
}

static void empty_folder(const play_t *p)
{
    static const char *const NAMES_LEFT[] = {"was",         "was-wal",  "was-shm",
                                             "was-journal", "db-wal",   "db-shm",
                                             "db-journal",  "was-lock", "db-lock"};
    for (size_t i = 0; i < sizeof NAMES_LEFT / sizeof NAMES_LEFT[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s/%s", p->dir, NAMES_LEFT[i]);
        unlink(path);
    }
}

/* What SQLite keeps in shared memory may survive as anything: nobody may believe it. */
static void leave_garbage_beside(const play_t *p)
{
    char path[96], bytes[4096];
    memset(bytes, (int)power_chance(256), sizeof bytes);
    snprintf(path, sizeof path, "%s-shm", p->path);
    FILE *f = power_chance(2) ? fopen(path, "wb") : NULL;
    if (!f)
        return;
    fwrite(bytes, 1, sizeof bytes, f);
    fclose(f);
}

/* Returns how many changes there were, until the power went at `lose_at`, or to the end. */
static int play_round(uint64_t seed, int lose_at, uint32_t sync_fails)
{
    play_t *p = begin_play();
    world_t *w = calloc(1, sizeof *w);
    char was[sizeof p->path];
    memcpy(was, p->path, sizeof was);
    for (int i = 0; i < CLIENTS; i++)
        w->clients[i] = (client_play_t){.way = WAYS[i], .number = i};
    w->sync_fails = sync_fails;
    power_begin(seed, lose_at, sync_fails);
    if (open_on_disk(p, w)) {
        run(p, w);
        if (power_chance(2)) {
            sqlite3_close(w->reader);
            w->reader = NULL;
        }
        play_close(p);
    }
    sqlite3_close(w->reader);
    int changes = power_changes();
    snprintf(p->path, sizeof p->path, "%s/db", p->dir);
    power_survive(was, p->path);
    leave_garbage_beside(p);
    play_open(p);
    check(p, w);
    empty_folder(p);
    free(w);
    void *state = p;
    play_end(&state);
    return changes;
}

static void nothing_acknowledged_is_lost_with_the_power(void **state)
{
    const char *text = getenv("WARDER_POWER_ROUNDS");
    int rounds = text ? atoi(text) : ROUNDS, all = play_round(1, -1, 0);
    uint64_t seed = (uint64_t)(text ? getpid() : 1) << 32;
    assert_true(rounds > 0 && all > 100);
    for (int round = 0; round < rounds; round++) {
        power_begin(seed + (uint64_t)round, -1, 0);
        int lose_at = (int)power_chance((uint32_t)all);
        print_message("round %d: seed %llu, change %d\n", round,
                      (unsigned long long)seed + (unsigned long long)round, lose_at);
        /* Every second disk is one whose syncs fail now and then. */
        play_round(seed + (uint64_t)round, lose_at, round % 2 ? 40 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_with_the_power),
    };
    if (!power_install())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
