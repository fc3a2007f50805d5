#include "watchlist.h"

#include "core/buf.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { ARENA_BYTES = 8 << 20 };

typedef struct {
    arena_t *a;
    char dir[64], path[96];
    watchlists_t *w;
} fixture_t;

static const watchlist_owner_t ALICE = {STR_INIT("https://as"), STR_INIT("alice")},
                               BOB = {STR_INIT("https://as"), STR_INIT("bob")},
                               OTHER = {STR_INIT("https://other"), STR_INIT("alice")};

static void open_it(fixture_t *f)
{
    str_t why;
    watchlists_config_t c = {f->path, NULL};
    if (watchlists_open(f->a, &c, &f->w, &why) != RC_OK)
        fail_msg("%.*s", STR_ARG(why));
}

static int setup(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    *state = f;
    f->a = arena_new(ARENA_BYTES);
    snprintf(f->dir, sizeof f->dir, "/tmp/watchlist-XXXXXX");
    if (!f->a || !mkdtemp(f->dir))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/watchlists.db", f->dir);
    open_it(f);
    return 0;
}

static int teardown(void **state)
{
    fixture_t *f = *state;
    char command[128];
    watchlists_close(f->w);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    int bad = system(command);
    arena_free(f->a);
    free(f);
    return bad;
}

static str_list_t list(fixture_t *f, const char *words)
{
    str_t rest = arena_dup(f->a, str_c(words)), part;
    str_t *v = ARENA_ARRAY(f->a, 300, str_t);
    size_t n = 0;
    while (str_split(&rest, ' ', &part))
        v[n++] = part;
    return (str_list_t){v, n};
}

static size_t add(fixture_t *f, const watchlist_owner_t *who, const char *words)
{
    size_t changed;
    assert_int_equal(watchlist_add(f->w, who, list(f, words), &changed), RC_OK);
    return changed;
}

static void has(fixture_t *f, const watchlist_owner_t *who, const char *words)
{
    str_list_t got;
    buf_t b = buf_new(f->a, 1 << 16);
    assert_int_equal(watchlist_get(f->w, f->a, who, &got), RC_OK);
    for (size_t i = 0; i < got.n; i++) {
        buf_put(&b, i > 0 ? STR(" ") : STR(""));
        buf_put(&b, got.v[i]);
    }
    str_t text = buf_str(&b);
    if (text.n != strlen(words) || (text.n > 0 && memcmp(text.p, words, text.n) != 0))
        fail_msg("'%.*s' is not '%s'", STR_ARG(text), words);
}

static void order_is_that_of_adding(void **state)
{
    fixture_t *f = *state;
    assert_int_equal(add(f, &ALICE, "ZED ACME"), 2);
    assert_int_equal(add(f, &ALICE, "ACME MID"), 1);
    has(f, &ALICE, "ZED ACME MID");
}

static void lists_belong_to_issuer_and_subject(void **state)
{
    fixture_t *f = *state;
    size_t changed;
    add(f, &ALICE, "A");
    has(f, &BOB, "");
    has(f, &OTHER, "");
    add(f, &BOB, "B");
    assert_int_equal(watchlist_clear(f->w, &OTHER, &changed), RC_OK);
    assert_int_equal(changed, 0);
    assert_int_equal(watchlist_clear(f->w, &BOB, &changed), RC_OK);
    assert_int_equal(changed, 1);
    has(f, &ALICE, "A");
    has(f, &BOB, "");
}

static void removing_counts_what_was_there(void **state)
{
    fixture_t *f = *state;
    size_t changed;
    add(f, &ALICE, "A B C");
    assert_int_equal(watchlist_remove(f->w, &ALICE, list(f, "B X B"), &changed), RC_OK);
    assert_int_equal(changed, 1);
    has(f, &ALICE, "A C");
}

static void renaming_keeps_the_place(void **state)
{
    fixture_t *f = *state;
    add(f, &ALICE, "A B C");
    assert_int_equal(watchlist_rename(f->w, &ALICE, STR("B"), STR("D")), RC_OK);
    has(f, &ALICE, "A D C");
    assert_int_equal(watchlist_rename(f->w, &ALICE, STR("B"), STR("E")), RC_NOT_FOUND);
    assert_int_equal(watchlist_rename(f->w, &ALICE, STR("A"), STR("C")), RC_CONFLICT);
    assert_int_equal(watchlist_rename(f->w, &BOB, STR("A"), STR("X")), RC_NOT_FOUND);
    has(f, &ALICE, "A D C");
}

static const char *many(fixture_t *f, int from, int to)
{
    buf_t b = buf_new(f->a, 1 << 16);
    for (int i = from; i < to; i++)
        buf_fmt(&b, i > from ? " T%d" : "T%d", i);
    buf_char(&b, '\0');
    return buf_str(&b).p;
}

static void too_many_change_nothing(void **state)
{
    fixture_t *f = *state;
    size_t changed = 7;
    add(f, &ALICE, many(f, 0, WATCHLIST_TICKERS - 1));
    assert_int_equal(watchlist_add(f->w, &ALICE, list(f, "X Y"), &changed), RC_LIMIT);
    assert_int_equal(changed, 0);
    has(f, &ALICE, many(f, 0, WATCHLIST_TICKERS - 1));
    assert_int_equal(add(f, &ALICE, "X"), 1);
    assert_int_equal(add(f, &ALICE, "X"), 0);
}

static void long_owner_is_refused(void **state)
{
    fixture_t *f = *state;
    char *p = arena_alloc(f->a, WATCHLIST_OWNER_BYTES + 1);
    size_t changed;
    memset(p, 'x', WATCHLIST_OWNER_BYTES + 1);
    watchlist_owner_t long_one = {STR("i"), str_of(p, WATCHLIST_OWNER_BYTES)};
    assert_int_equal(watchlist_add(f->w, &long_one, list(f, "A"), &changed), RC_LIMIT);
    long_one.subject.n--;
    assert_int_equal(watchlist_add(f->w, &long_one, list(f, "A"), &changed), RC_OK);
}

static void lists_outlive_the_process(void **state)
{
    fixture_t *f = *state;
    struct stat st;
    add(f, &ALICE, "A B");
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    watchlists_close(f->w);
    open_it(f);
    has(f, &ALICE, "A B");
}

static void refused(fixture_t *f, const char *says)
{
    str_t why = STR_UNSET;
    watchlists_t *w;
    watchlists_config_t c = {f->path, NULL};
    assert_int_equal(watchlists_open(f->a, &c, &w, &why), RC_CONFIG);
    assert_null(w);
    if (!str_contains(why, str_c(says)))
        fail_msg("said '%.*s'", STR_ARG(why));
}

static void foreign_files_are_left_alone(void **state)
{
    fixture_t *f = *state;
    watchlists_close(f->w);
    f->w = NULL;
    snprintf(f->path, sizeof f->path, "%s/text", f->dir);
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        fputs("This is no database at all.\n", file);
    fclose(file);
    refused(f, "move the file away");
    snprintf(f->path, sizeof f->path, "%s/no/such", f->dir);
    refused(f, "mend its folder");
    snprintf(f->path, sizeof f->path, "%s/watchlists.db", f->dir);
    open_it(f);
    add(f, &ALICE, "A");
}

static void newer_files_are_left_alone(void **state)
{
    fixture_t *f = *state;
    char command[256];
    watchlists_close(f->w);
    f->w = NULL;
    /* user_version stands at byte 60 of the file */
    snprintf(command, sizeof command,
             "printf '\\002' | dd of='%s' bs=1 seek=63 conv=notrunc 2>/dev/null", f->path);
    assert_int_equal(system(command), 0);
    refused(f, "belongs to something else");
}

enum { THREADS = 4, ROUNDS = 25 };

static void *add_some(void *arg)
{
    fixture_t *f = arg;
    for (int i = 0; i < ROUNDS; i++) {
        char name[16];
        size_t changed;
        snprintf(name, sizeof name, "T%d", i);
        str_t one = str_c(name);
        if (watchlist_add(f->w, &ALICE, (str_list_t){&one, 1}, &changed) != RC_OK)
            return f;
    }
    return NULL;
}

static void threads_add_at_once(void **state)
{
    fixture_t *f = *state;
    pthread_t t[THREADS];
    void *bad;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_some, f), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
    has(f, &ALICE, many(f, 0, ROUNDS));
}

static void memory_will_do(void **state)
{
    fixture_t *f = *state;
    str_t why;
    watchlists_config_t c = {0};
    watchlists_close(f->w);
    assert_int_equal(watchlists_open(f->a, &c, &f->w, &why), RC_OK);
    add(f, &ALICE, "A");
    has(f, &ALICE, "A");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order_is_that_of_adding),
        TEST(lists_belong_to_issuer_and_subject),
        TEST(removing_counts_what_was_there),
        TEST(renaming_keeps_the_place),
        TEST(too_many_change_nothing),
        TEST(long_owner_is_refused),
        TEST(lists_outlive_the_process),
        TEST(foreign_files_are_left_alone),
        TEST(newer_files_are_left_alone),
        TEST(threads_add_at_once),
        TEST(memory_will_do),
    };
    return cmocka_run_group_tests_name("watchlist", tests, NULL, NULL);
}
