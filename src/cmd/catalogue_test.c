#include "cmd/cmd_test_run.h"

#include "cmd/catalogue.h"
#include "cmd/command.h"
#include "conf/conf_catalogue.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    arena_t *a;
    char folder[64];
    settings_t settings;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(4 << 20);
    test_folder(p->folder);
    p->settings.conf.client_catalogue = STR("");
    p->settings.sources.file_name = arena_printf(p->a, "%s/warder.yaml", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    play_t *p = *state;
    test_folder_remove(p->folder);
    arena_free(p->a);
    free(p);
    return 0;
}

static int load(void *arg)
{
    play_t *p = arg;
    return catalogue_load(p->a, &p->settings);
}

static void put(play_t *p, const char *text)
{
    FILE *f = fopen(arena_printf(p->a, "%s/clients.yaml", p->folder).p, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    p->settings.conf.client_catalogue = STR("clients.yaml");
}

static void refused(play_t *p, const char *says)
{
    ran_t ran;
    test_child(load, p, STR_UNSET, &ran);
    assert_int_equal(ran.code, EXIT_SETTING);
    assert_one_line(&ran);
    assert_non_null(strstr(ran.err, says));
}

static void without_one_there_is_what_is_shipped(void **state)
{
    play_t *p = *state;
    assert_int_equal(load(p), EXIT_DONE);
    assert_null(p->settings.conf.catalogue);
}

static void it_stands_beside_the_settings_file(void **state)
{
    play_t *p = *state;
    put(p, "clients:\n  - id: mine\n    name: Mine\n    redirect_uris: [\"mine://cb/x\"]\n");
    assert_int_equal(load(p), EXIT_DONE);
    const conf_catalogue_t *c = p->settings.conf.catalogue;
    assert_non_null(conf_catalogue_of_redirect(c, STR("mine://cb/x")));
    assert_non_null(
        conf_catalogue_of_redirect(c, STR("cursor://anysphere.cursor-mcp/oauth/callback")));
}

static void what_cannot_be_read_is_named(void **state)
{
    play_t *p = *state;
    p->settings.conf.client_catalogue = STR("none.yaml");
    refused(p, "none.yaml' cannot be read");
    put(p, "clients: [1]\n");
    refused(p, "line 1 of the client catalogue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_one_there_is_what_is_shipped, setup, teardown),
        cmocka_unit_test_setup_teardown(it_stands_beside_the_settings_file, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
