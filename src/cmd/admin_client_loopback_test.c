#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <stdio.h>

#define URL "https://app.test/client.json"

static const client_t *look(admin_play_t *p, const char *id)
{
    static ask_t client;
    client = (ask_t){.kind = ASK_CLIENT, .key = str_c(id)};
    if (!p->store)
        admin_play_store(p);
    admin_play_ask(p, &client);
    return client.u.client;
}

static void a_document_gets_a_row_for_what_is_decided(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin client loopback " URL " any-path");
    const client_t *c = look(p, URL);
    assert_non_null(c);
    assert_true(c->lenient_loopback);
    assert_int_equal(c->origin, CLIENT_BY_DOCUMENT);
    assert_non_null(strstr(admin_play_trail(p), "client.changed"));
    admin_play_run(p, "admin client list");
    assert_non_null(strstr(p->ran.out, URL "  document  none"));
    admin_play_run(p, "admin client loopback " URL " exact");
    assert_false(look(p, URL)->lenient_loopback);
}

static void what_is_no_client_gets_none(void **state)
{
    admin_play_t *p = *state;
    admin_play_refused(p, "admin client loopback wcl_nobody any-path", EXIT_REFUSED,
                       "no such client");
    admin_play_refused(p, "admin client loopback http://app.test/c.json any-path", EXIT_REFUSED,
                       "no such client");
    admin_play_refused(p, "admin client loopback " URL " sometimes", EXIT_USAGE, "any-path");
    admin_play_refused(p, "admin client loopback " URL, EXIT_USAGE, "any-path");
    assert_null(look(p, URL));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(a_document_gets_a_row_for_what_is_decided),
        PLAY_TEST(what_is_no_client_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
