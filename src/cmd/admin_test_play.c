#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>

int admin_play_setup(void **state)
{
    admin_play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(16 << 20);
    test_folder(p->folder);
    once_init(&p->once);
    *state = p;
    return 0;
}

static void shut(admin_play_t *p)
{
    if (p->conn)
        store_disconnect(p->conn);
    if (p->store)
        store_close(p->store);
    p->conn = NULL;
    p->store = NULL;
}

int admin_play_teardown(void **state)
{
    admin_play_t *p = *state;
    shut(p);
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

/* Runs `line` with the data folder, expecting `code`. */
void admin_play_input(admin_play_t *p, const char *line, str_t input, int code)
{
    char whole[2048];
    snprintf(whole, sizeof whole, "%s --data %s", line, p->folder);
    test_command(whole, input, &p->ran);
    if (p->ran.code != code)
        fail_msg("%s: exit %d: %s%s", line, p->ran.code, p->ran.err, p->ran.out);
    if (code != EXIT_DONE) {
        assert_one_line(&p->ran);
        assert_true(p->ran.err[0] != '\0');
        assert_string_equal(p->ran.out, "");
    }
}

void admin_play_run(admin_play_t *p, const char *line)
{
    admin_play_input(p, line, STR_UNSET, EXIT_DONE);
}

void admin_play_refused(admin_play_t *p, const char *line, int code, const char *says)
{
    admin_play_input(p, line, STR_UNSET, code);
    if (!strstr(p->ran.err, says))
        fail_msg("%s: '%s' is not in: %s", line, says, p->ran.err);
}

void admin_play_user(admin_play_t *p, const char *name)
{
    char line[128];
    snprintf(line, sizeof line, "admin user add %s --password-stdin", name);
    admin_play_input(p, line, STR(PASSWORD "\n"), EXIT_DONE);
}

/* The audit trail as text. */
const char *admin_play_trail(admin_play_t *p)
{
    static char text[65536];
    char path[96];
    snprintf(path, sizeof path, "%s/audit.log", p->folder);
    test_read(path, text, sizeof text);
    return text;
}

size_t admin_play_trail_lines(admin_play_t *p)
{
    size_t n = 0;
    for (const char *c = admin_play_trail(p); *c; c++)
        n += *c == '\n';
    return n;
}

void admin_play_store(admin_play_t *p)
{
    str_t why;
    store_config_t config = {
        .driver = STR("sqlite"),
        .path = arena_printf(p->a, "%s/warder.db", p->folder),
        .clock = clock_system(),
    };
    assert_int_equal(store_open(p->a, &config, &p->store, &why), RC_OK);
    assert_int_equal(store_connect(p->store, once_port(&p->once), &p->conn), RC_OK);
}

void admin_play_ask(admin_play_t *p, ask_t *question)
{
    once_result_t result = {0};
    store_ask(p->conn, p->a, question, 1, once_done, &result);
    once_wait(&p->once, &result);
    assert_int_equal(result.rc, RC_OK);
}
