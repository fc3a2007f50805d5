#include "cmd/admin.h"

#include "cmd/beforehand.h"
#include "cmd/command.h"
#include "cmd/privileges.h"
#include "cmd/store_config.h"
#include "cmd/trail.h"
#include "conf/conf_table.h"
#include "core/buf.h"
#include "core/url.h"
#include "oauth/label.h"

enum { ARENA_BYTES = 16 << 20, ADMIN_WORDS_MAX = 128 };

/* The rows of a command plus those of the settings; ended by NULL. */
static option_t *options_of(arena_t *a, const option_t *own, size_t n_own)
{
    option_t *settings = settings_options(a);
    option_t *rows = ARENA_ARRAY(a, n_own + CONF_N_ROWS + 2, option_t);
    if (!settings || !rows)
        return NULL;
    if (n_own > 0)
        memcpy(rows, own, n_own * sizeof *rows);
    memcpy(rows + n_own, settings, (CONF_N_ROWS + 2) * sizeof *rows);
    return rows;
}

static int open_store(admin_t *admin)
{
    int code = store_config_open(admin->a, &admin->settings, &admin->log, &admin->store);
    if (code != EXIT_DONE)
        return code;
    if (store_connect(admin->store, once_port(&admin->once), &admin->conn) != RC_OK)
        return command_fail(EXIT_FAILED, "the store cannot be reached");
    return EXIT_DONE;
}

static int open_all(admin_t *admin, arena_t *a, const option_t *rows, bool with_store)
{
    *admin = (admin_t){.a = a, .random = random_system(), .log = log_stderr(LOG_WARN)};
    clock_port_t clock = clock_system();
    admin->now = clock_seconds(&clock);
    once_init(&admin->once);
    int code = settings_load(a, rows, &admin->settings);
    if (code == EXIT_DONE && str_eq(admin->settings.conf.store, STR("memory")))
        code = command_fail(EXIT_SETTING, "store is 'memory': only the server itself can reach it; "
                                          "set store to sqlite or postgres");
    if (code == EXIT_DONE)
        beforehand_open(a, &admin->settings);
    if (code == EXIT_DONE)
        code = privileges_enter(a, &admin->settings, NULL);
    if (code == EXIT_DONE && with_store)
        code = open_store(admin);
    if (code == EXIT_DONE)
        code = trail_open(a, &admin->settings, &admin->log, TRAIL_OF_COMMAND, &admin->audit);
    return code;
}

static void close_all(admin_t *admin)
{
    if (admin->audit)
        audit_close(admin->audit);
    if (admin->conn)
        store_disconnect(admin->conn);
    if (admin->store)
        store_close(admin->store);
}

int64_t admin_moment(const admin_t *admin)
{
    clock_port_t clock = clock_system();
    return store_moment(admin->store, clock_seconds(&clock));
}

rc_t admin_ask(admin_t *admin, ask_t *ask)
{
    once_result_t result = {0};
    store_ask(admin->conn, admin->a, ask, 1, once_done, &result);
    once_wait(&admin->once, &result);
    if (result.rc != RC_OK)
        command_fail(EXIT_FAILED, "the store did not answer (%s)", rc_name(result.rc));
    return result.rc;
}

static void audited(void *ctx, rc_t rc)
{
    once_done(ctx, rc, 0);
}

int admin_record(admin_t *admin, const audit_event_t *event)
{
    once_result_t recorded = {0};
    audit_append(admin->audit, once_port(&admin->once), event, audited, &recorded);
    once_wait(&admin->once, &recorded);
    return recorded.rc == RC_OK
               ? EXIT_DONE
               : command_fail(
                     EXIT_FAILED,
                     "done, but the audit trail could not be written (%s): see to audit_file",
                     rc_name(recorded.rc));
}

rc_t admin_try(admin_t *admin, const effects_t *effects, const audit_event_t *event)
{
    once_result_t applied = {0};
    store_apply(admin->conn, effects, once_done, &applied);
    once_wait(&admin->once, &applied);
    if (applied.rc != RC_OK && applied.rc != RC_CONFLICT)
        command_fail(EXIT_FAILED, "the store could not be written (%s)", rc_name(applied.rc));
    if (applied.rc != RC_OK)
        return applied.rc;
    return admin_record(admin, event) == EXIT_DONE ? RC_OK : RC_IO;
}

int admin_apply(admin_t *admin, const effects_t *effects, const audit_event_t *event,
                const char *conflict)
{
    rc_t rc = admin_try(admin, effects, event);
    if (rc == RC_CONFLICT)
        return command_fail(EXIT_REFUSED, "%s", conflict);
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

rc_t admin_random_text(admin_t *admin, const char *prefix, size_t bytes, str_t *out)
{
    uint8_t random[64];
    if (bytes > sizeof random)
        return RC_LIMIT;
    TRY(admin->random.fill(admin->random.ctx, random, bytes));
    buf_t b = buf_new(admin->a, 256);
    buf_put(&b, str_c(prefix));
    buf_b64url(&b, random, bytes);
    return buf_done(&b, out);
}

int admin_text(admin_t *admin, const char *what, str_t text, size_t max, str_t *out)
{
    *out = STR_UNSET;
    if (text.n == 0)
        return EXIT_DONE;
    if (oauth_label_clean(admin->a, text, max, out) != RC_OK)
        return command_out_of_memory();
    if (!str_eq(*out, text))
        return command_fail(EXIT_REFUSED,
                            "%s takes at most %zu bytes of UTF-8, without characters that hide, "
                            "reorder or break lines, and no space at its ends",
                            what, max);
    return EXIT_DONE;
}

/* The identifier is what tokens name as audience: absolute, without fragment (RFC 8707 section 2),
 * in one spelling. */
int admin_resource_uri(admin_t *admin, const char *what, str_t text, str_t *out)
{
    url_t url;
    if (url_parse(text, &url) != RC_OK || !url_is_http(&url) || str_is_set(url.fragment) ||
        str_is_set(url.userinfo))
        return command_fail(EXIT_REFUSED,
                            "%s '%" PRIstr "' is no resource: give an http(s) URL without "
                            "fragment and user",
                            what, STR_ARG(text));
    if (url_canonical(admin->a, &url, out) != RC_OK)
        return command_out_of_memory();
    return EXIT_DONE;
}

typedef struct {
    const option_t *own;
    size_t n_own, max_words;
    admin_run_t run;
    bool with_store;
} frame_t;

static int run_frame(int argc, char **argv, const frame_t *frame)
{
    arena_t *a = arena_new(ARENA_BYTES);
    option_t *rows = a ? options_of(a, frame->own, frame->n_own) : NULL;
    str_t words[ADMIN_WORDS_MAX];
    size_t n_words = 0;
    int code = EXIT_USAGE;
    if (!rows)
        code = command_out_of_memory();
    else if (options_parse(argc, argv, rows, words, frame->max_words, &n_words)) {
        admin_t admin;
        code = open_all(&admin, a, rows, frame->with_store);
        if (code == EXIT_DONE)
            code = frame->run(&admin, rows, words, n_words);
        close_all(&admin);
    }
    arena_free(a);
    return code;
}

int admin_command(int argc, char **argv, const option_t *own, size_t n_own, size_t max_words,
                  admin_run_t run)
{
    return run_frame(argc, argv, &(frame_t){own, n_own, max_words, run, true});
}

int admin_command_without_store(int argc, char **argv, const option_t *own, size_t n_own,
                                size_t max_words, admin_run_t run)
{
    return run_frame(argc, argv, &(frame_t){own, n_own, max_words, run, false});
}
