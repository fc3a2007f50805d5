/* warder store migrate --to-store sqlite --to-data DIR | --to-store postgres --to-postgres CONNINFO
 */
#include "cmd/store_command.h"
#include "cmd/store_config.h"
#include "cmd/store_pipe.h"

#include <sys/stat.h>

static const option_t OPTIONS[] = {
    {.name = "to-store"},
    {.name = "to-data"},
    {.name = "to-postgres"},
    {.name = "to-postgres-password-file"},
    {.name = "while-running", .is_switch = true},
};

typedef struct {
    admin_t *admin;
    store_t *from, *to;
    store_hold_t *hold; /* of where it comes from */
    store_pipe_t pipe;
} migration_t;

/* The settings of the other store: the same but for what names it. */
static int read_target(admin_t *admin, const option_t *rows, settings_t *out)
{
    str_t store = option_get(rows, "to-store"), data = option_get(rows, "to-data");
    str_t postgres = option_get(rows, "to-postgres");
    bool file = str_eq(store, STR("sqlite")) && data.n > 0 && !str_is_set(postgres);
    bool server = str_eq(store, STR("postgres")) && postgres.n > 0 && !str_is_set(data);
    if (!file && !server)
        return command_fail(EXIT_USAGE, "say where to: --to-store sqlite --to-data DIR, or "
                                        "--to-store postgres --to-postgres CONNINFO");
    *out = admin->settings;
    out->conf.store = store;
    if (server) {
        out->conf.postgres = postgres;
        out->conf.postgres_password_file = option_is_set(rows, "to-postgres-password-file")
                                               ? option_get(rows, "to-postgres-password-file")
                                               : STR("");
        return EXIT_DONE;
    }
    out->conf.data = data;
    out->database = arena_printf(admin->a, "%" PRIstr "/warder.db", STR_ARG(data));
    return str_is_set(out->database) ? settings_make_data(admin->a, out) : command_out_of_memory();
}

/* What servers write from then on is not moved; who wants that anyway is told. */
static int open_beside_servers(migration_t *m)
{
    bool idle;
    str_t why;
    store_config_t config;
    int code = store_config_make(m->admin->a, &m->admin->settings, &m->admin->log, &config);
    if (code != EXIT_DONE)
        return code;
    if (store_idle(&config, m->admin->a, &idle, &why) != RC_OK || !idle)
        command_fail(0, "servers may be using the store: what they write from now on is not moved");
    return store_config_open(m->admin->a, &m->admin->settings, &m->admin->log, &m->from);
}

/* What a server wrote after its record was read would be lost: until all is moved, none comes in.
 */
static int open_alone(migration_t *m)
{
    str_t why = STR_UNSET;
    store_config_t config;
    admin_t *admin = m->admin;
    int code = store_config_make(admin->a, &admin->settings, &admin->log, &config);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = store_open_held(admin->a, &config, &m->from, &m->hold, &why);
    if (rc == RC_BUSY)
        return store_command_in_use(
            why, "stop the server, or move a copy of this moment with --while-running");
    return rc == RC_OK ? EXIT_DONE : store_command_failed(rc, why, "the store cannot be held");
}

static int copy(migration_t *m)
{
    str_t why = STR_UNSET;
    if (store_pipe_start(&m->pipe, m->from, NULL) != RC_OK)
        return command_out_of_memory();
    const store_source_t source = store_pipe_source(&m->pipe);
    rc_t rc = store_fill(m->to, m->admin->a, &source, &why);
    store_pipe_stop(&m->pipe);
    if (rc == RC_OK)
        return EXIT_DONE;
    if (rc == RC_CONFLICT)
        return command_fail(EXIT_REFUSED, "%" PRIstr "; name one that is empty", STR_ARG(why));
    return store_command_failed(rc, str_is_set(m->pipe.why) ? m->pipe.why : why,
                                "the other store could not be filled");
}

static rc_t add(void *ctx, table_id_t table, const void *record)
{
    return store_tally_add(ctx, table, record);
}

/* Whether what `store` holds now is what was moved. */
static rc_t read_again(migration_t *m, store_t *store, bool *same, str_t *why)
{
    store_tally_t now;
    const store_sink_t sink = {add, &now, NULL};
    *why = STR_UNSET;
    rc_t rc = store_tally_begin(&now, NULL);
    if (rc == RC_OK)
        rc = store_dump(store, m->admin->a, &sink, why);
    *same = rc == RC_OK && store_tally_same(&now, &m->pipe.tally);
    store_tally_free(&now);
    return rc;
}

/* What stands in the other store now is read again, and has to be what was read here. */
static int compare(migration_t *m)
{
    bool same;
    str_t why;
    rc_t rc = read_again(m, m->to, &same, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the other store could not be read again");
    return same ? EXIT_DONE
                : command_fail(EXIT_FAILED, "the other store holds something else than what was "
                                            "moved; do not use it, and report this");
}

/* A program that knows nothing of the gate (an older one, or another's tool) may have come in. */
static int compare_source(migration_t *m)
{
    bool same;
    str_t why;
    if (!m->hold)
        return EXIT_DONE;
    rc_t rc = read_again(m, m->from, &same, &why);
    if (rc != RC_OK)
        return store_command_failed(rc, why, "the store could not be read again");
    return same
               ? EXIT_DONE
               : command_fail(EXIT_FAILED, "another program wrote to the store while it was moved, "
                                           "which the other store lacks; stop it, empty the other "
                                           "store and move again");
}

static int record(migration_t *m, str_t where)
{
    unsigned long long n = store_tally_sum(&m->pipe.tally);
    printf("%llu records moved, and read again\n", n);
    return store_command_record(
        m->admin, "migrated",
        arena_printf(m->admin->a, "%llu records to %" PRIstr, n, STR_ARG(where)));
}

/* It would wait for itself. */
static bool is_same_file(const admin_t *admin, const settings_t *target)
{
    struct stat from, to;
    const char *here = arena_cstr(admin->a, admin->settings.database);
    const char *there = arena_cstr(admin->a, target->database);
    bool files = str_eq(admin->settings.conf.store, STR("sqlite")) &&
                 str_eq(target->conf.store, STR("sqlite"));
    return files && here && there && stat(here, &from) == 0 && stat(there, &to) == 0 &&
           from.st_dev == to.st_dev && from.st_ino == to.st_ino;
}

static int move(migration_t *m, const settings_t *target, bool while_running)
{
    if (is_same_file(m->admin, target))
        return command_fail(EXIT_REFUSED, "the other store is this one, which holds records "
                                          "already; name one that is empty");
    int code = while_running ? open_beside_servers(m) : open_alone(m);
    if (code == EXIT_DONE)
        code = store_config_open(m->admin->a, target, &m->admin->log, &m->to);
    if (code == EXIT_DONE)
        code = copy(m);
    if (code == EXIT_DONE)
        code = compare(m);
    if (code == EXIT_DONE)
        code = compare_source(m);
    if (code == EXIT_DONE)
        code = record(m, target->conf.store);
    if (m->pipe.a)
        store_pipe_free(&m->pipe);
    if (m->to)
        store_close(m->to);
    if (m->from)
        store_close(m->from);
    store_release(m->hold);
    return code;
}

static int migrate(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    settings_t target;
    migration_t m = {.admin = admin};
    int code = read_target(admin, rows, &target);
    return code == EXIT_DONE ? move(&m, &target, option_is_set(rows, "while-running")) : code;
}

static int run(int argc, char **argv)
{
    command_forbid_core();
    return admin_command_without_store(argc, argv, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, 0,
                                       migrate);
}

const command_t CMD_STORE_MIGRATE = {
    "store migrate",
    "--to-store sqlite --to-data DIR | --to-store postgres --to-postgres CONNINFO "
    "[--to-postgres-password-file FILE] [--while-running]",
    "moves all records to an empty store of either kind", run};
