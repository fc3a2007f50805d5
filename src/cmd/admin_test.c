/* What the commands share, keys, and registration tokens. */
#include "cmd/admin_test_play.h"

#include "cmd/command.h"
#include "oauth/handle.h"

#include <stdio.h>

static void registration_token_is_stored_as_a_hash(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin registration-token");
    str_t token = str_trim(str_c(p->ran.out), "\n");
    assert_true(str_starts(token, STR("wrt_")));
    assert_null(strstr(p->ran.err, arena_cstr(p->a, token)));
    assert_null(strstr(admin_play_trail(p), arena_cstr(p->a, token)));
    assert_int_equal(admin_play_trail_lines(p), 1);
    admin_play_store(p);
    ask_t record = {.kind = ASK_REGISTRATION_TOKEN, .hash = oauth_handle_hash(token)};
    admin_play_ask(p, &record);
    assert_non_null(record.u.registration_token);
    assert_int_equal(record.u.registration_token->expires_at -
                         record.u.registration_token->created_at,
                     7 * 86400);
}

static size_t count_keys(admin_play_t *p, key_use_t use, key_state_t state, str_t *kid)
{
    ask_t keys = {.kind = ASK_KEYS};
    admin_play_ask(p, &keys);
    size_t n = 0;
    for (size_t i = 0; i < keys.count; i++) {
        if (keys.u.keys[i].use != use || keys.u.keys[i].state != state)
            continue;
        *kid = keys.u.keys[i].kid;
        n++;
    }
    return n;
}

static void rotation_publishes_a_key_beside_a_running_store(void **state)
{
    admin_play_t *p = *state;
    str_t first, next, kid;
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_CURRENT, &first), 1);
    assert_int_equal(count_keys(p, KEY_DERIVE, KEY_CURRENT, &kid), 1);
    admin_play_run(p, "admin key rotate");
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_CURRENT, &kid), 1);
    assert_true(str_eq(kid, first));
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_NEXT, &next), 1);
    assert_non_null(strstr(admin_play_trail(p), arena_cstr(p->a, next)));
    size_t lines = admin_play_trail_lines(p);
    admin_play_run(p, "admin key rotate");
    assert_non_null(strstr(p->ran.out, "already"));
    assert_int_equal(admin_play_trail_lines(p), lines);
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_NEXT, &next), 1);
}

static void leak_replaces_all_keys(void **state)
{
    admin_play_t *p = *state;
    str_t first, kid;
    admin_play_run(p, "admin key rotate");
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_CURRENT, &first), 1);
    admin_play_run(p, "admin key rotate --at-once");
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_CURRENT, &kid), 1);
    assert_false(str_eq(kid, first));
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_NEXT, &kid), 0);
    assert_int_equal(count_keys(p, KEY_SIGN, KEY_RETIRED, &kid), 0);
}

/* The algorithm is the server's to choose. */
static void rotation_keeps_the_algorithm_there_is(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin key rotate --signing-alg EdDSA");
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    ask_t keys = {.kind = ASK_KEYS};
    admin_play_ask(p, &keys);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.u.keys[i].use == KEY_SIGN)
            assert_true(str_eq(keys.u.keys[i].alg, STR("EdDSA")));
}

static void memory_store_is_out_of_reach(void **state)
{
    admin_play_refused(*state, "admin user list --store memory", EXIT_SETTING, "sqlite");
}

static void wrong_setting_is_refused(void **state)
{
    admin_play_refused(*state, "admin user list --workers many", EXIT_SETTING, "workers");
    admin_play_refused(*state, "admin user list --nothing x", EXIT_USAGE, "--nothing");
}

static void audit_trail_that_cannot_be_opened_stops_the_command(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    snprintf(line, sizeof line, "admin registration-token --audit-file %s/no/audit.log", p->folder);
    test_command(line, STR_UNSET, &p->ran);
    assert_true(p->ran.code == EXIT_FAILED || p->ran.code == EXIT_SETTING);
    assert_string_equal(p->ran.out, "");
}

static void settings_are_checked_and_shown(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "config check");
    assert_string_equal(p->ran.out, "the settings are good\n");
    admin_play_refused(p, "config check --public-url http://as.test", EXIT_SETTING, "https");
    admin_play_refused(p, "config check --listen nowhere", EXIT_SETTING, "listen");
    admin_play_refused(p, "config check --listen 0.0.0.0:80", EXIT_SETTING, "public_url");
    admin_play_refused(p, "config check --key-file /nonexistent", EXIT_SETTING, "the key file");
    admin_play_refused(p, "config check --client-catalogue /nonexistent", EXIT_SETTING,
                       "client_catalogue");
    admin_play_refused(p, "config check --tls-certificate /nonexistent --tls-key-file /nonexistent",
                       EXIT_SETTING, "the certificate '/nonexistent'");
    admin_play_run(p, "config show --listen 127.0.0.1:9");
    assert_non_null(strstr(p->ran.out, "listen: \"127.0.0.1:9\"  # command line\n"));
    assert_non_null(strstr(p->ran.out, "audit.log"));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(registration_token_is_stored_as_a_hash),
        PLAY_TEST(rotation_publishes_a_key_beside_a_running_store),
        PLAY_TEST(leak_replaces_all_keys),
        PLAY_TEST(rotation_keeps_the_algorithm_there_is),
        PLAY_TEST(memory_store_is_out_of_reach),
        PLAY_TEST(wrong_setting_is_refused),
        PLAY_TEST(audit_trail_that_cannot_be_opened_stops_the_command),
        PLAY_TEST(settings_are_checked_and_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
