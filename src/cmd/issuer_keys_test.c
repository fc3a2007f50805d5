#include "cmd/cmd_test_run.h"

#include "cmd/command.h"
#include "cmd/issuer_keys.h"

#include <stdlib.h>

/* RFC 7517 appendix A.1 */
#define KEYS                                                                                       \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"                                          \
    "\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"                                       \
    "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"1\"}]}"

typedef struct {
    arena_t *a;
    char folder[64];
    conf_issuer_t issuers[2];
    settings_t settings;
} play_t;

static int setup(void **state)
{
    play_t *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = arena_new(4 << 20);
    test_folder(p->folder);
    p->issuers[0].issuer = STR("https://fetched.test");
    p->issuers[1].issuer = STR("https://idp.test");
    p->settings.conf.issuers = p->issuers;
    p->settings.conf.n_issuers = 2;
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
    return issuer_keys_load(p->a, &p->settings);
}

static void refused(play_t *p, const char *says)
{
    ran_t ran;
    test_child(load, p, STR_UNSET, &ran);
    assert_int_equal(ran.code, EXIT_SETTING);
    assert_one_line(&ran);
    assert_non_null(strstr(ran.err, says));
}

static void keys_stand_beside_the_settings_file(void **state)
{
    play_t *p = *state;
    test_file(p->folder, "keys.json", KEYS);
    p->issuers[1].jwks_file = STR("keys.json");
    assert_int_equal(load(p), EXIT_DONE);
    assert_false(str_is_set(p->settings.conf.issuers[0].jwks));
    assert_true(str_eq(p->settings.conf.issuers[1].jwks, STR(KEYS)));
}

static void or_where_an_absolute_path_says(void **state)
{
    play_t *p = *state;
    p->issuers[1].jwks_file = str_c(test_file(p->folder, "keys.json", KEYS));
    p->settings.sources.file_name = STR_UNSET;
    assert_int_equal(load(p), EXIT_DONE);
    assert_true(str_is_set(p->settings.conf.issuers[1].jwks));
}

static void what_holds_no_keys_is_refused(void **state)
{
    play_t *p = *state;
    p->issuers[1].jwks_file = STR("keys.json");
    refused(p, "cannot be read");
    test_file(p->folder, "keys.json", "{\"keys\":[]}");
    refused(p, "must hold a JWK Set");
    test_file(p->folder, "keys.json", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}");
    refused(p, "must hold a JWK Set");
    test_file(p->folder, "keys.json", "-----BEGIN PUBLIC KEY-----");
    refused(p, "must hold a JWK Set");
}

int main(void)
{
#define PLAY_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {
        PLAY_TEST(keys_stand_beside_the_settings_file),
        PLAY_TEST(or_where_an_absolute_path_says),
        PLAY_TEST(what_holds_no_keys_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
