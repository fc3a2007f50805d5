/* warder store restore FILE [--replace] [--revoke-after-restore]
 *
 * Numbers of revocations: followers have seen those that were given after the saving, and ask for
 * what is above. So a restored store goes on at the microseconds since 1970: no store gives a
 * million a second, so that is above all that was ever given, after a second restore of the same
 * file too, and stays below 2^53, which every reader of JSON holds exactly. */
#include "cmd/store_config.h"
#include "cmd/store_saved.h"

#include <errno.h>
#include <unistd.h>

enum {
    REMEMBERED_S = MODEL_ACCESS_TOKEN_MAX_S + 120, /* as long as a token may live, and a bit */
    NUMBERS_A_SECOND = 1000000,
};

static const option_t OPTIONS[] = {
    {.name = "replace", .is_switch = true},
    {.name = "revoke-after-restore", .is_switch = true},
};

typedef struct {
    admin_t *admin;
    store_saved_t saved;
    store_config_t config;
    const char *database; /* where it is to stand; NULL: at a server */
    const char *filled;   /* the file that is filled to take its place; NULL: it is filled itself */
    const char *aside;    /* where the replaced one goes */
    bool replace, revoke;
} restore_t;

/* Whoever signed out after the saving must not be signed in again. */
static bool all_but_sessions(table_id_t table)
{
    return table != TABLE_SESSION;
}

static int check_idle(const restore_t *r)
{
    bool idle;
    str_t why = STR_UNSET;
    rc_t rc = store_idle(&r->config, r->admin->a, &idle, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be looked at");
    return idle ? EXIT_DONE
                : command_fail(EXIT_REFUSED,
                               "another process uses the store; stop the server, then restore");
}

static bool holds_records(const store_stats_t *stats)
{
    for (int t = 0; t < TABLE_COUNT; t++)
        if (t != TABLE_LEASE && stats->table[t].rows > 0)
            return true;
    return false;
}

/* Whether the store that is there holds anything. */
static int look_at_target(const restore_t *r, bool *full)
{
    store_t *store;
    store_stats_t stats;
    str_t why = STR_UNSET;
    rc_t rc = store_open(r->admin->a, &r->config, &store, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store cannot be opened");
    rc = store_stats(store, &stats, r->admin->a, &why);
    store_close(store);
    *full = rc == RC_OK && holds_records(&stats);
    return rc == RC_OK ? EXIT_DONE : store_command_failed(rc, why, "the store cannot be counted");
}

/* The new one is filled beside the old, which is in its place until the very end. */
static int plan_replacement(restore_t *r)
{
    arena_t *a = r->admin->a;
    if (!r->replace)
        return command_fail(EXIT_REFUSED,
                            "the store holds records; with --replace it is put aside first");
    if (!r->database)
        return command_fail(EXIT_REFUSED,
                            "a store of the kind %" PRIstr " is not replaced; make "
                            "an empty database and name that in the settings",
                            STR_ARG(r->config.driver));
    str_t when = command_time(a, r->admin->now);
    r->filled = arena_cstr(a, arena_printf(a, "%s.restoring", r->database));
    r->aside = arena_cstr(a, arena_printf(a, "%s.before-%" PRIstr, r->database, STR_ARG(when)));
    if (!r->filled || !r->aside)
        return command_out_of_memory();
    r->config.path = str_c(r->filled);
    return EXIT_DONE;
}

static void remove_filled(const restore_t *r)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3 && r->filled; i++) {
        str_t path = arena_printf(r->admin->a, "%s%s", r->filled, SUFFIXES[i]);
        if (str_is_set(path))
            unlink(path.p);
    }
}

static rc_t end_all(admin_t *admin, store_t *store)
{
    once_result_t result = {0};
    store_conn_t *conn;
    effects_t effects = {0};
    const revoked_t all = {.kind = REVOKED_ALL,
                           .key = STR(""),
                           .at = admin->now,
                           .expires_at = admin->now + REMEMBERED_S};
    TRY(store_connect(store, once_port(&admin->once), &conn));
    effects_add(&effects, EFFECT_REVOCATION_PUT, admin->now)->u.revoked = &all;
    store_apply(conn, &effects, once_done, &result);
    once_wait(&admin->once, &result);
    store_disconnect(conn);
    return result.rc;
}

static int fill(restore_t *r)
{
    store_t *store;
    str_t why = STR_UNSET;
    const store_source_t source = store_saved_source(&r->saved);
    rc_t rc = store_open(r->admin->a, &r->config, &store, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store cannot be opened");
    int code = EXIT_DONE;
    rc = store_fill(store, r->admin->a, &source, &why);
    if (rc != RC_OK)
        code = store_saved_refused(&r->saved, rc, why);
    else if (r->revoke && (rc = end_all(r->admin, store)) != RC_OK)
        code = command_fail(EXIT_FAILED,
                            "the store is restored, but not all was revoked (%s); run 'warder "
                            "admin revoke --all' before the server starts",
                            rc_name(rc));
    store_close(store);
    return code;
}

/* A hard link keeps the old one under its new name; then one step puts the other in its place. At
 * no moment is there none, which a server that starts then would make empty. */
static int swap(const restore_t *r)
{
    if (link(r->database, r->aside) != 0)
        return command_fail(EXIT_FAILED, "the old database cannot be kept as '%s': %s", r->aside,
                            strerror(errno));
    if (rename(r->filled, r->database) != 0)
        return command_fail(EXIT_FAILED, "'%s' cannot be put in place: %s", r->filled,
                            strerror(errno));
    printf("the old database is %s\n", r->aside);
    return EXIT_DONE;
}

static int put_in_place(restore_t *r)
{
    bool full;
    int code = look_at_target(r, &full);
    if (code == EXIT_DONE && full)
        code = plan_replacement(r);
    remove_filled(r); /* of a restore that was killed */
    if (code == EXIT_DONE)
        code = fill(r);
    if (code == EXIT_DONE && r->filled)
        code = swap(r);
    if (code != EXIT_DONE)
        remove_filled(r);
    return code;
}

static int record(const restore_t *r)
{
    printf("%llu records restored\n", (unsigned long long)r->saved.given);
    return store_command_record(r->admin, "restored",
                                arena_printf(r->admin->a, "%llu records of %s%s",
                                             (unsigned long long)r->saved.given,
                                             r->saved.is_database ? "a backup" : "an export",
                                             r->revoke ? "; all grants were ended" : ""));
}

static int restore_from(restore_t *r)
{
    int code = check_idle(r);
    if (code == EXIT_DONE)
        code = store_saved_open(&r->saved);
    if (code == EXIT_DONE)
        code = put_in_place(r);
    store_saved_close(&r->saved);
    return code == EXIT_DONE ? record(r) : code;
}

static int restore(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    restore_t r = {.admin = admin,
                   .replace = option_is_set(rows, "replace"),
                   .revoke = option_is_set(rows, "revoke-after-restore")};
    const char *path = store_command_word(admin, words, n_words, "store restore wants one FILE");
    if (!path)
        return EXIT_USAGE;
    int code = store_config_make(admin->a, &admin->settings, &admin->log, &r.config);
    if (code != EXIT_DONE)
        return code;
    if (str_eq(r.config.driver, STR("sqlite")))
        r.database = arena_cstr(admin->a, r.config.path);
    r.saved = (store_saved_t){.admin = admin,
                              .path = path,
                              .wants = r.revoke ? all_but_sessions : NULL,
                              .least = admin->now * NUMBERS_A_SECOND};
    return restore_from(&r);
}

static int run(int argc, char **argv)
{
    command_forbid_core();
    return admin_command_without_store(argc, argv, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, 1,
                                       restore);
}

const command_t CMD_STORE_RESTORE = {"store restore", "FILE [--replace] [--revoke-after-restore]",
                                     "puts a backup or an export back, while no server runs", run};
