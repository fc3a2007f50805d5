/* attack case: OPS-010. When the write-ahead log is brought over and emptied, and that a reader
 * that stays does not stop the writer. */
#include "store/sqlite_log.h"
#include "store/store_test_util.h"

#include <stdio.h>
#include <sys/stat.h>

static void log_is_left_brought_or_emptied(void **state)
{
    static const struct {
        int pages;
        bool keys_went;
        int64_t again_at;
        sqlite_log_step_t want;
    } ROWS[] = {
        {0, false, 0, SQLITE_LOG_LEAVE},
        {SQLITE_LOG_PAGES - 1, false, 0, SQLITE_LOG_LEAVE},
        {SQLITE_LOG_PAGES, false, 0, SQLITE_LOG_BRING},
        {SQLITE_LOG_PAGES_MAX - 1, false, 0, SQLITE_LOG_BRING},
        {SQLITE_LOG_PAGES_MAX, false, 0, SQLITE_LOG_EMPTY},
        {SQLITE_LOG_PAGES_MAX, false, 1000, SQLITE_LOG_EMPTY},
        {SQLITE_LOG_PAGES_MAX, false, 1001, SQLITE_LOG_BRING},
        {1, true, 0, SQLITE_LOG_EMPTY},
        {1, true, 1001, SQLITE_LOG_LEAVE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        sqlite_db_t db = {.log_pages = ROWS[i].pages, .keys_went = ROWS[i].keys_went};
        sqlite_log_t log = {.again_at = ROWS[i].again_at};
        assert_int_equal(sqlite_log_due(&log, &db, 1000), ROWS[i].want);
        bool emptied = ROWS[i].keys_went || ROWS[i].pages >= SQLITE_LOG_PAGES_MAX;
        assert_int_equal(sqlite_log_look_at(&log, &db), emptied ? ROWS[i].again_at : 0);
    }
}

static sqlite3 *read_for_long(const play_t *p)
{
    sqlite3 *reader;
    assert_int_equal(sqlite3_open(p->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM client", NULL, NULL, NULL),
                     SQLITE_OK);
    return reader;
}

static int64_t log_bytes(const play_t *p)
{
    char path[96];
    struct stat st;
    snprintf(path, sizeof path, "%s-wal", p->path);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

static void change_key(play_t *p, int number)
{
    char kids[2][8];
    key_record_t keys[2];
    for (int i = 0; i < 2; i++) {
        snprintf(kids[i], sizeof kids[i], "%d", number + i);
        keys[i] = (key_record_t){
            .kid = str_c(kids[i]), .alg = STR("ES256"), .state = KEY_CURRENT, .secret = STR("s")};
    }
    key_change_t change = {keys, number > 0, keys + 1, 1};
    play_add(p, EFFECT_KEYS_REPLACE)->u.key_change = &change;
    assert_applied(p);
}

static void wait_for_empty_log(const play_t *p)
{
    int64_t end = sqlite_mono_ms() + 60000;
    while (log_bytes(p) > 0 && sqlite_mono_ms() < end)
        sqlite3_sleep(5);
    assert_int_equal(log_bytes(p), 0);
}

/* Keys that went leave the files as soon as the reader is gone, though nobody writes any more. */
static void reader_that_stays_does_not_stop_the_writer(void **state)
{
    play_t *p = *state;
    sqlite3 *reader = read_for_long(p);
    int64_t since = sqlite_mono_ms();
    for (int i = 0; i < 5; i++)
        change_key(p, i);
    assert_true(sqlite_mono_ms() - since < 2500);
    assert_true(log_bytes(p) > 0);
    sqlite3_close(reader);
    wait_for_empty_log(p);
}

/* The log grows while somebody reads, and is what it was soon after. */
static void log_shrinks_when_the_reader_is_gone(void **state)
{
    enum { RESOURCES = 90, BYTES = 1 << 20 };
    play_t *p = *state;
    resource_t r = {.uri = STR("https://r.test/mcp")};
    char *name = arena_alloc(p->a, BYTES);
    memset(name, 'a', BYTES);
    r.name = str_of(name, BYTES);
    sqlite3 *reader = read_for_long(p);
    for (int i = 0; i < RESOURCES; i++) {
        memset(name, 'a' + i % 26, BYTES); /* only what changed is written */
        play_add(p, EFFECT_RESOURCE_PUT)->u.resource = &r;
        assert_applied(p);
    }
    assert_true(log_bytes(p) > (int64_t)SQLITE_LOG_PAGES_MAX * 4096);
    sqlite3_close(reader);
    wait_for_empty_log(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_is_left_brought_or_emptied),
        ON_SQLITE(reader_that_stays_does_not_stop_the_writer),
        ON_SQLITE(log_shrinks_when_the_reader_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
