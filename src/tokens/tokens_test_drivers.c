#include "tokens/tokens_test_drivers.h"

#include "core/core_test_util.h"

#include "tokens/tokens_test_bus.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *tokens_test_folder(void)
{
    char *path = strdup("/tmp/tokens-test-XXXXXX");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void tokens_test_folder_remove(char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static void open_memory(tokens_test_keep_t *k)
{
    tokens_memory_t *m;
    assert_int_equal(tokens_memory_new(&m), RC_OK);
    k->object = m;
    k->keep = tokens_memory_keep(m);
}

static void close_memory(tokens_test_keep_t *k)
{
    tokens_memory_free(k->object);
}

static void open_folder(tokens_test_keep_t *k)
{
    tokens_folder_t *f;
    str_t why, path = arena_printf(k->arena, "%s/state/warder", k->folder);
    assert_int_equal(tokens_folder_open(k->arena, path, &f, &why), RC_OK);
    k->object = f;
    k->keep = tokens_folder_keep(f);
}

static void close_folder(tokens_test_keep_t *k)
{
    tokens_folder_close(k->object);
}

/* One for all tests of the driver, as it takes long to start. */
static tokens_test_bus_t bus;

static bool prepare_desktop(const char **reason)
{
    *reason = tokens_test_bus_lacks();
    if (*reason)
        return false;
    tokens_test_bus_start(&bus);
    tokens_test_bus_serve(&bus);
    return true;
}

static void dismiss_desktop(void)
{
    tokens_test_bus_stop(&bus);
}

static void open_desktop(tokens_test_keep_t *k)
{
    tokens_desktop_t *d;
    str_t why, path = arena_printf(k->arena, "%s/state/warder", k->folder);
    if (tokens_desktop_open(k->arena, path, &d, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    k->object = d;
    k->keep = tokens_desktop_keep(d);
}

static void close_desktop(tokens_test_keep_t *k)
{
    tokens_desktop_close(k->object);
}

const tokens_test_driver_t TOKENS_TEST_DRIVERS[] = {
    [TOKENS_TEST_MEMORY] = {"memory", open_memory, close_memory, false, 100},
    [TOKENS_TEST_FOLDER] = {"folder", open_folder, close_folder, true, 10},
    [TOKENS_TEST_DESKTOP] = {"desktop", open_desktop, close_desktop, true, 5, prepare_desktop,
                             dismiss_desktop},
};
const size_t TOKENS_TEST_DRIVER_COUNT = ROWS(TOKENS_TEST_DRIVERS);

/* What lasts may be of the test before. */
static void clear(tokens_test_keep_t *k)
{
    str_list_t names;
    str_t why;
    assert_int_equal(k->keep.names(k->keep.ctx, k->arena, &names, &why), RC_OK);
    for (size_t i = 0; i < names.n; i++)
        assert_int_equal(k->keep.erase(k->keep.ctx, k->arena, names.v[i], &why), RC_OK);
}

int tokens_test_setup(void **state)
{
    tokens_test_keep_t *k = calloc(1, sizeof *k);
    assert_non_null(k);
    k->driver = *state;
    k->arena = arena_new(TEST_ARENA_BYTES);
    assert_non_null(k->arena);
    k->folder = tokens_test_folder();
    k->driver->open(k);
    clear(k);
    *state = k;
    return 0;
}

int tokens_test_teardown(void **state)
{
    tokens_test_keep_t *k = *state;
    k->driver->close(k);
    tokens_test_folder_remove(k->folder);
    arena_free(k->arena);
    free(k);
    return 0;
}

void tokens_test_reopen(tokens_test_keep_t *k)
{
    k->driver->close(k);
    k->driver->open(k);
}

str_t tokens_test_at(tokens_test_keep_t *k, const char *file)
{
    return arena_printf(k->arena, "%s/state/warder%s%s", k->folder, *file ? "/" : "", file);
}

rc_t tokens_test_put(tokens_test_keep_t *k, str_t name, str_t text, str_t *why)
{
    return k->keep.write(k->keep.ctx, k->arena, name, secret_of(text), why);
}

rc_t tokens_test_get(tokens_test_keep_t *k, str_t name, str_t *text, str_t *why)
{
    secret_t out;
    rc_t rc = k->keep.read(k->keep.ctx, k->arena, name, &out, why);
    *text = out.hidden;
    return rc;
}

void tokens_test_assert_put(tokens_test_keep_t *k, str_t name, str_t text)
{
    str_t why;
    assert_int_equal(tokens_test_put(k, name, text, &why), RC_OK);
}

void tokens_test_assert_kept(tokens_test_keep_t *k, str_t name, str_t want)
{
    str_t why, text;
    assert_int_equal(tokens_test_get(k, name, &text, &why), RC_OK);
    assert_str(text, want);
}

size_t tokens_test_files_ending(tokens_test_keep_t *k, str_t end)
{
    size_t n = 0;
    DIR *dir = opendir(tokens_test_at(k, "").p);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));)
        n += str_ends(str_c(e->d_name), end);
    closedir(dir);
    return n;
}
