#include "cmd/admin_test_play.h"

#include "as/keys.h"
#include "cmd/command.h"
#include "core/limits.h"
#include "core/ports.h"
#include "oauth/sealed_client.h"

#include <stdio.h>
#include <sys/stat.h>

#define KEY_1 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

static client_t a_machine(void)
{
    return (client_t){.name = STR("Machine"),
                      .auth = CLIENT_AUTH_SECRET_BASIC,
                      .grants = GRANT_CLIENT_CREDENTIALS,
                      .scope = STR("a:read"),
                      .created_at = 1700000000};
}

static str_t seal_key_of(admin_play_t *p)
{
    ask_t keys = {.kind = ASK_KEYS};
    admin_play_ask(p, &keys);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.u.keys[i].use == KEY_SEAL)
            return keys.u.keys[i].secret;
    return STR_UNSET;
}

/* As a server hands it out: no row is made. */
static str_t sealed_id(admin_play_t *p, str_t key)
{
    client_t c = a_machine();
    oauth_sealed_secrets_t secrets;
    random_port_t random = random_system();
    assert_int_equal(oauth_sealed_client_seal(p->a, (str_list_t){&key, 1}, &random, &c, &secrets),
                     RC_OK);
    return c.id;
}

static const client_t *look(admin_play_t *p, str_t id)
{
    ask_t *client = ARENA_NEW(p->a, ask_t);
    *client = (ask_t){.kind = ASK_CLIENT, .key = id};
    admin_play_ask(p, client);
    return client->u.client;
}

static const char *line_for(admin_play_t *p, const char *command, str_t id)
{
    return arena_printf(p->a, "admin %s %" PRIstr, command, STR_ARG(id)).p;
}

/* All that it got, and all that services got whom it called: it is the subject of these. */
static void assert_revoked(admin_play_t *p, str_t id)
{
    ask_t list = {.kind = ASK_REVOCATIONS};
    admin_play_ask(p, &list);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.u.revoked[0].kind, REVOKED_SUBJECT);
    assert_int_equal(list.u.revoked[1].kind, REVOKED_CLIENT);
    for (size_t i = 0; i < list.count; i++)
        assert_true(str_eq(list.u.revoked[i].key, id));
}

static void an_id_without_a_row_is_gone_for_good(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    str_t id = sealed_id(p, seal_key_of(p)), other = sealed_id(p, seal_key_of(p));
    assert_null(look(p, id));
    admin_play_run(p, line_for(p, "client delete", id));
    const client_t *row = look(p, id), *resolved;
    assert_non_null(row);
    assert_int_not_equal(row->deleted_at, 0);
    str_t key = seal_key_of(p);
    str_list_t keys = {&key, 1};
    assert_int_equal(oauth_sealed_client_resolve(p->a, keys, id, row, &resolved), RC_OK);
    assert_null(resolved);
    assert_revoked(p, id);
    assert_non_null(strstr(admin_play_trail(p), "deleted_by_admin"));
    admin_play_refused(p, line_for(p, "client delete", id), EXIT_REFUSED, "no such client");
    assert_null(look(p, other));
}

/* What nobody has used has an end, which an administrator's word has not. */
static void a_row_that_would_expire_is_gone_for_good(void **state)
{
    admin_play_t *p = *state;
    client_t c = a_machine();
    c.id = STR("wrx_row");
    c.sealed = true;
    c.origin = CLIENT_BY_REGISTRATION;
    c.expires_at = 2000000000;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_CLIENT_INSERT, 0)->u.client = &c;
    once_result_t result = {0};
    admin_play_store(p);
    store_apply(p->conn, &effects, once_done, &result);
    once_wait(&p->once, &result);
    assert_int_equal(result.rc, RC_OK);
    admin_play_run(p, line_for(p, "client delete", c.id));
    const client_t *row = look(p, c.id);
    assert_int_not_equal(row->deleted_at, 0);
    assert_int_equal(row->expires_at, 0);
}

static void an_id_that_nobody_made_gets_no_row(void **state)
{
    static const uint8_t FOREIGN[32] = {1};
    admin_play_t *p = *state;
    admin_play_refused(p, "admin client delete wrx_none", EXIT_REFUSED, "no such client");
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    str_t foreign = sealed_id(p, str_of(FOREIGN, sizeof FOREIGN));
    admin_play_refused(p, line_for(p, "client delete", foreign), EXIT_REFUSED, "no such client");
    admin_play_refused(p, "admin client delete wrx_none", EXIT_REFUSED, "no such client");
    assert_null(look(p, foreign));
}

/* Only the keys tell whether the id is one of ours. */
static void encrypted_keys_are_asked_for(void **state)
{
    admin_play_t *p = *state;
    const char *path = test_file(p->folder, "key", KEY_1);
    assert_int_equal(chmod(path, 0600), 0);
    path = arena_cstr(p->a, str_c(path));
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    str_t id = sealed_id(p, secret_dup(p->a, seal_key_of(p)).hidden);
    admin_play_run(p, arena_printf(p->a, "admin key reseal --new-key-file %s", path).p);
    admin_play_refused(p, line_for(p, "client delete", id), EXIT_SETTING, "key_file");
    assert_null(look(p, id));
    admin_play_run(
        p, arena_printf(p->a, "%s --key-file %s", line_for(p, "client delete", id), path).p);
    assert_int_not_equal(look(p, id)->deleted_at, 0);
}

static void its_tokens_end_without_a_row_too(void **state)
{
    admin_play_t *p = *state;
    admin_play_run(p, "admin key rotate");
    admin_play_store(p);
    str_t id = sealed_id(p, seal_key_of(p));
    admin_play_run(p, line_for(p, "revoke --client", id));
    assert_revoked(p, id);
    assert_null(look(p, id)); /* it may go on, with new tokens */
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(an_id_without_a_row_is_gone_for_good),
        PLAY_TEST(a_row_that_would_expire_is_gone_for_good),
        PLAY_TEST(an_id_that_nobody_made_gets_no_row),
        PLAY_TEST(encrypted_keys_are_asked_for),
        PLAY_TEST(its_tokens_end_without_a_row_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
