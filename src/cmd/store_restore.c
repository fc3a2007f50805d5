/* warder store restore FILE [--replace] [--revoke-after-restore]
 *
 * Numbers of revocations: followers have seen those that were given after the saving, and ask for
 * what is above. So a restored store goes on at the microseconds since 1970: no store gives a
 * million a second, so that is above all that was ever given, after a second restore of the same
 * file too, and stays below 2^53, which every reader of JSON holds exactly. */
#include "cmd/store_config.h"
#include "cmd/store_saved.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    REMEMBERED_S = MODEL_ACCESS_TOKEN_MAX_S + 120, /* as long as a token may live, and a bit */
    NUMBERS_A_MS = 1000,
    ASIDE_MAX = 100,
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
    const char *filled;   /* the file that is filled to take its place; NULL: at a server */
    const char
        *aside; /* where the one that is replaced goes; NULL: there is none, or it is empty */
    bool replace, revoke;
    store_hold_t *hold; /* of the database that is to be replaced */
} restore_t;

/* Whoever signed out after the saving must not be signed in again. */
static bool all_but_sessions(table_id_t table)
{
    return table != TABLE_SESSION;
}

static int refuse_in_use(str_t who)
{
    return store_command_in_use(who, "stop the server, then restore");
}

static int check_idle(const restore_t *r)
{
    bool idle;
    str_t why = STR_UNSET;
    rc_t rc = store_idle(&r->config, r->admin->a, &idle, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be looked at");
    return idle ? EXIT_DONE : refuse_in_use(why);
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

/* A name that is free, as two restores may be of one second. NULL: no memory. */
static const char *name_aside(const restore_t *r)
{
    arena_t *a = r->admin->a;
    str_t when = command_time(a, r->admin->now);
    for (int i = 0; i < ASIDE_MAX; i++) {
        str_t name =
            i == 0 ? arena_printf(a, "%s.before-%" PRIstr, r->database, STR_ARG(when))
                   : arena_printf(a, "%s.before-%" PRIstr "-%d", r->database, STR_ARG(when), i);
        if (!str_is_set(name) || access(name.p, F_OK) != 0)
            return name.p;
    }
    return NULL;
}

static int refuse_full(void)
{
    return command_fail(EXIT_REFUSED,
                        "the store holds records; with --replace it is put aside first");
}

/* From here to the end nobody opens it: what a server wrote meanwhile would be put aside with it.
 */
static int hold(restore_t *r)
{
    str_t why = STR_UNSET;
    rc_t rc = store_hold(&r->config, r->admin->a, &r->hold, &why);
    if (rc == RC_BUSY)
        return refuse_in_use(why);
    return rc == RC_OK ? EXIT_DONE : store_command_failed(rc, why, "the database cannot be held");
}

/* The new database is filled beside the old, which is in its place until the very end. */
static int plan_file(restore_t *r, bool keeps)
{
    arena_t *a = r->admin->a;
    int code = hold(r);
    if (code != EXIT_DONE)
        return code;
    /* Written since it was looked at: what is not put aside would be lost. */
    if (!keeps && store_hold_is_full(r->hold))
        return refuse_full();
    r->filled = arena_cstr(a, arena_printf(a, "%s.restoring", r->database));
    if (keeps)
        r->aside = name_aside(r);
    if (!r->filled || (keeps && !r->aside))
        return command_out_of_memory();
    r->config.path = str_c(r->filled);
    return EXIT_DONE;
}

/* A database that is to be replaced is not looked into: it may be damaged. */
static int plan(restore_t *r)
{
    bool there = r->database && access(r->database, F_OK) == 0;
    bool full = there && r->replace;
    int code = full || (r->database && !there) ? EXIT_DONE : look_at_target(r, &full);
    if (code != EXIT_DONE)
        return code;
    if (full && !r->replace)
        return refuse_full();
    if (full && !r->database)
        return command_fail(EXIT_REFUSED,
                            "a store of the kind %" PRIstr " is not replaced; make "
                            "an empty database and name that in the settings",
                            STR_ARG(r->config.driver));
    return r->database ? plan_file(r, full) : EXIT_DONE;
}

static void remove_filled(const restore_t *r)
{
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", "-lock"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0] && r->filled; i++) {
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
    clock_port_t clock = clock_system();
    /* Of now, when filling has taken its time. */
    const int64_t at = store_moment(store, clock_seconds(&clock));
    const revoked_t all = {
        .kind = REVOKED_ALL, .key = STR(""), .at = at, .expires_at = at + REMEMBERED_S};
    TRY(store_connect(store, once_port(&admin->once), &conn));
    effects_add(&effects, EFFECT_REVOCATION_PUT, at)->u.revoked = &all;
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
                            "the store was filled, but what it holds could not be revoked (%s); "
                            "restore into an empty one again",
                            rc_name(rc));
    store_close(store);
    return code;
}

static int not_placed(const restore_t *r, const char *what)
{
    return command_fail(EXIT_FAILED, "'%s' cannot be put in place of '%s' (%s): %s", r->filled,
                        r->database, what, strerror(errno));
}

/* A log beside a database belongs to it alone: SQLite would play that of the old one over the new.
 * The old one's goes along with it; the new one was closed, and has none. */
static int move_logs(const restore_t *r)
{
    struct stat st;
    arena_t *a = r->admin->a;
    const char *old = arena_cstr(a, arena_printf(a, "%s-wal", r->database));
    const char *shm = arena_cstr(a, arena_printf(a, "%s-shm", r->database));
    const char *new = arena_cstr(a, arena_printf(a, "%s-wal", r->filled));
    const char *kept = arena_cstr(a, arena_printf(a, "%s-wal", r->aside ? r->aside : r->database));
    if (!old || !shm || !new || !kept)
        return command_out_of_memory();
    if (access(new, F_OK) == 0)
        return command_fail(EXIT_FAILED, "'%s' was not closed; try again", r->filled);
    bool empty = stat(old, &st) == 0 && st.st_size == 0;
    if (r->aside && !empty && rename(old, kept) != 0 && errno != ENOENT)
        return not_placed(r, "log");
    if (!r->aside || empty)
        unlink(old); /* of a database that is gone: it would be played over the new one */
    unlink(shm);
    return EXIT_DONE;
}

/* Where nothing was put aside and nothing was there, nothing is written over. */
static bool move_new(const restore_t *r)
{
    return store_hold_is_there(r->hold)
               ? rename(r->filled, r->database) == 0
               : link(r->filled, r->database) == 0 && unlink(r->filled) == 0;
}

/* A hard link keeps the old one under its new name; then one step puts the other in its place. At
 * no moment is there none, which a server that starts then would make empty. */
static int swap(const restore_t *r)
{
    if (r->aside && link(r->database, r->aside) != 0)
        return not_placed(r, "old one");
    int code = move_logs(r);
    if (code != EXIT_DONE)
        return code;
    if (!move_new(r) || !store_command_sync_folder(r->database))
        return not_placed(r, "new one");
    if (r->aside)
        printf("the old database is %s\n", r->aside);
    return EXIT_DONE;
}

static int put_in_place(restore_t *r)
{
    int code = plan(r);
    remove_filled(r); /* of a restore that was killed */
    if (code == EXIT_DONE)
        code = fill(r);
    if (code == EXIT_DONE && r->filled)
        code = swap(r);
    remove_filled(r); /* what is left of it, wherever it ended */
    store_release(r->hold);
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
    clock_port_t clock = clock_system();
    if (str_eq(r.config.driver, STR("sqlite")))
        r.database = arena_cstr(admin->a, r.config.path);
    r.saved = (store_saved_t){.admin = admin,
                              .path = path,
                              .wants = r.revoke ? all_but_sessions : NULL,
                              .least = clock.now_ms(clock.ctx) * NUMBERS_A_MS};
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
