/* What of keep.h only the desktop's secret service can show: no bus, no service, locks, restarts.
 */
#include "core/core_test_util.h"
#include "tokens/desktop.h"
#include "tokens/tokens_test_bus.h"
#include "tokens/tokens_test_drivers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SHORT_MS = 200, SOON_MS = 4000 };

#define ADDRESS "DBUS_SESSION_BUS_ADDRESS"

static int64_t now_ms(void)
{
    clock_port_t clock = clock_system();
    return clock.mono_ms(clock.ctx);
}

static void assert_not_found(arena_t *a, str_t says)
{
    tokens_desktop_t *d;
    str_t why;
    int64_t from = now_ms();
    assert_int_equal(tokens_desktop_open(a, STR("/no/such/folder"), &d, &why), RC_NOT_FOUND);
    assert_null(d);
    if (!str_contains(why, says))
        fail_msg("'%" PRIstr "'", STR_ARG(why));
    assert_true(now_ms() - from < SOON_MS);
}

static void there_is_no_bus(void **state)
{
    static const char *const BAD[] = {
        "unix:path=/no/such/bus", "unix:path=/dev/null", "unix:", "nonsense", "tcp:host=127.0.0.1",
    };
    assert_int_equal(unsetenv(ADDRESS) | unsetenv("XDG_RUNTIME_DIR"), 0);
    assert_not_found(*state, STR("the secret service: "));
    for (size_t i = 0; i < ROWS(BAD); i++) {
        assert_int_equal(setenv(ADDRESS, BAD[i], 1), 0);
        assert_not_found(*state, STR("the secret service: "));
    }
}

static void nobody_answers_at_the_address(void **state)
{
    char *folder = tokens_test_folder();
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    desktop_talk_t *t;
    str_t why;
    snprintf(at.sun_path, sizeof at.sun_path, "%s/bus", folder);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at) | listen(fd, 8), 0);
    str_t address = arena_printf(*state, "unix:path=%s", at.sun_path);
    assert_int_equal(setenv(ADDRESS, address.p, 1), 0);
    int64_t from = now_ms();
    assert_int_equal(desktop_begin(*state, SHORT_MS, &t, &why), RC_NOT_FOUND);
    assert_true(now_ms() - from >= SHORT_MS && now_ms() - from < SOON_MS);
    assert_true(str_contains(why, STR("timed out")));
    close(fd);
    tokens_test_folder_remove(folder);
}

/* The following stand on one bus. */
static tokens_test_bus_t bus;
static str_t folder;

static int start_bus(void **state)
{
    const char *lacks = tokens_test_bus_lacks();
    (void)state;
    if (lacks) {
        print_message("the service is not tried: %s\n", lacks);
        return 0;
    }
    tokens_test_bus_start(&bus);
    return 0;
}

static int stop_bus(void **state)
{
    (void)state;
    if (bus.folder)
        tokens_test_bus_stop(&bus);
    return 0;
}

/* Each begins with the service running or not, as it needs it. */
static void need_service(arena_t *a, bool running)
{
    if (!bus.folder)
        skip();
    if (running && bus.service == 0)
        tokens_test_bus_serve(&bus);
    if (!running)
        tokens_test_bus_unserve(&bus);
    folder = arena_printf(a, "%s/state/warder", bus.folder);
}

static tokens_keep_t open_keep(arena_t *a, tokens_desktop_t **d)
{
    str_t why;
    if (tokens_desktop_open(a, folder, d, &why) != RC_OK)
        fail_msg("%" PRIstr, STR_ARG(why));
    return tokens_desktop_keep(*d);
}

static void there_is_no_service_on_the_bus(void **state)
{
    need_service(*state, false);
    assert_not_found(*state, STR("the secret service: "));
}

static rc_t put(const tokens_keep_t *k, arena_t *a, str_t text, str_t *why)
{
    return k->write(k->ctx, a, STR("tokens-1"), secret_of(text), why);
}

static rc_t get(const tokens_keep_t *k, arena_t *a, str_t *text, str_t *why)
{
    secret_t out;
    rc_t rc = k->read(k->ctx, a, STR("tokens-1"), &out, why);
    *text = out.hidden;
    return rc;
}

static void what_is_kept_outlives_a_restart_of_the_service(void **state)
{
    tokens_desktop_t *d;
    str_t why, text;
    need_service(*state, true);
    tokens_keep_t k = open_keep(*state, &d);
    assert_int_equal(put(&k, *state, STR("text"), &why), RC_OK);
    tokens_test_bus_unserve(&bus);
    assert_int_equal(get(&k, *state, &text, &why), RC_IO);
    assert_true(str_contains(why, STR("the secret service: ")));
    assert_int_equal(put(&k, *state, STR("other"), &why), RC_IO);
    tokens_test_bus_serve(&bus);
    assert_int_equal(get(&k, *state, &text, &why), RC_OK);
    assert_str(text, STR("text"));
    tokens_desktop_close(d);
}

static void a_locked_collection_asks_nobody(void **state)
{
    tokens_desktop_t *d;
    str_t why, text;
    str_list_t names;
    need_service(*state, true);
    tokens_keep_t k = open_keep(*state, &d);
    assert_int_equal(put(&k, *state, STR("text"), &why), RC_OK);
    tokens_test_bus_lock();
    int64_t from = now_ms();
    assert_int_equal(get(&k, *state, &text, &why), RC_IO);
    assert_true(str_contains(why, STR("locked")));
    assert_int_equal(put(&k, *state, STR("other"), &why), RC_IO);
    assert_int_equal(k.erase(k.ctx, *state, STR("tokens-1"), &why), RC_IO);
    assert_int_equal(k.names(k.ctx, *state, &names, &why), RC_IO);
    assert_not_found(*state, STR("locked"));
    assert_true(now_ms() - from < SOON_MS);
    tokens_test_bus_unserve(&bus);
    tokens_test_bus_serve(&bus);
    assert_int_equal(get(&k, *state, &text, &why), RC_OK);
    assert_str(text, STR("text"));
    tokens_desktop_close(d);
}

static void a_service_that_hangs_is_not_waited_for(void **state)
{
    desktop_talk_t *t;
    str_t why;
    need_service(*state, true);
    assert_int_equal(kill(bus.service, SIGSTOP), 0);
    int64_t from = now_ms();
    rc_t rc = desktop_begin(*state, SHORT_MS, &t, &why);
    int64_t took = now_ms() - from;
    assert_int_equal(kill(bus.service, SIGCONT), 0);
    assert_int_equal(rc, RC_NOT_FOUND);
    assert_true(took >= SHORT_MS && took < SOON_MS);
    assert_int_equal(desktop_begin(*state, DESKTOP_TALK_MS, &t, &why), RC_OK);
    desktop_end(t);
}

/* attack case: CLI-015 */
static void files_beside_hold_nothing(void **state)
{
    tokens_desktop_t *d;
    tokens_lock_t *lock;
    str_t why;
    need_service(*state, true);
    tokens_keep_t k = open_keep(*state, &d);
    assert_int_equal(k.lock(k.ctx, STR("tokens-1"), SOON_MS, &lock), RC_OK);
    assert_int_equal(put(&k, *state, STR("text"), &why), RC_OK);
    k.unlock(k.ctx, lock);
    DIR *dir = opendir(folder.p);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        assert_string_equal(e->d_name, "tokens-1.lock");
        assert_int_equal(
            test_read_file(*state, arena_printf(*state, "%s/%s", folder.p, e->d_name).p).n, 0);
    }
    closedir(dir);
    tokens_desktop_close(d);
}

static void a_folder_that_others_could_use_is_refused(void **state)
{
    tokens_desktop_t *d;
    str_t why;
    need_service(*state, true);
    str_t open_to_all = arena_printf(*state, "%s/open", bus.folder);
    assert_int_equal(mkdir(open_to_all.p, 0700) | chmod(open_to_all.p, 0755), 0);
    assert_int_equal(tokens_desktop_open(*state, open_to_all, &d, &why), RC_CONFIG);
    assert_true(str_contains(why, STR("others can use")));
}

static void items_that_we_did_not_put_do_no_harm(void **state)
{
    desktop_talk_t *t;
    tokens_desktop_t *d;
    str_list_t names;
    str_t why, text;
    char *big = arena_alloc(*state, TOKENS_KEEP_BYTES + 1);
    need_service(*state, true);
    tokens_keep_t k = open_keep(*state, &d);
    assert_int_equal(desktop_begin(*state, DESKTOP_TALK_MS, &t, &why), RC_OK);
    assert_int_equal(desktop_put(t, STR("../A name"), secret_of(STR("x"))), RC_OK);
    assert_int_equal(desktop_put(t, STR("tokens-1"), secret_of(str_of(big, TOKENS_KEEP_BYTES + 1))),
                     RC_OK);
    assert_int_equal(k.names(k.ctx, *state, &names, &why), RC_OK);
    assert_int_equal(names.n, 1);
    assert_str(names.v[0], STR("tokens-1"));
    assert_int_equal(get(&k, *state, &text, &why), RC_NOT_FOUND);
    assert_int_equal(put(&k, *state, STR("ours"), &why), RC_OK);
    assert_int_equal(get(&k, *state, &text, &why), RC_OK);
    assert_str(text, STR("ours"));
    desktop_end(t);
    tokens_desktop_close(d);
}

int main(void)
{
    const struct CMUnitTest without[] = {
        ARENA_TEST(there_is_no_bus),
        ARENA_TEST(nobody_answers_at_the_address),
    };
    const struct CMUnitTest with[] = {
        ARENA_TEST(there_is_no_service_on_the_bus),
        ARENA_TEST(what_is_kept_outlives_a_restart_of_the_service),
        ARENA_TEST(a_locked_collection_asks_nobody),
        ARENA_TEST(a_service_that_hangs_is_not_waited_for),
        ARENA_TEST(files_beside_hold_nothing),
        ARENA_TEST(a_folder_that_others_could_use_is_refused),
        ARENA_TEST(items_that_we_did_not_put_do_no_harm),
    };
    return cmocka_run_group_tests(without, NULL, NULL) +
           cmocka_run_group_tests(with, start_bus, stop_bus);
}
