#include "cmd/admin_test_play.h"

#include "cmd/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEY_1 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="
#define KEY_2 "ABECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8="

static const char *key_file(admin_play_t *p, const char *name, const char *text)
{
    const char *path = test_file(p->folder, name, text);
    assert_int_equal(chmod(path, 0600), 0);
    return path;
}

static ask_t keys_of(admin_play_t *p)
{
    ask_t keys = {.kind = ASK_KEYS};
    if (!p->store)
        admin_play_store(p);
    admin_play_ask(p, &keys);
    return keys;
}

static const key_record_t *key_of(admin_play_t *p, key_use_t use, key_state_t state)
{
    ask_t keys = keys_of(p);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.u.keys[i].use == use && keys.u.keys[i].state == state)
            return &keys.u.keys[i];
    return NULL;
}

/* The first rotation makes the keys; a command can do that before any server. */
static void make_keys(admin_play_t *p)
{
    admin_play_run(p, "admin key rotate");
    assert_int_equal(keys_of(p).count, 3);
}

static void list_tells_of_all_keys_and_no_secret(void **state)
{
    admin_play_t *p = *state;
    make_keys(p);
    admin_play_run(p, "admin key list");
    ask_t keys = keys_of(p);
    for (size_t i = 0; i < keys.count; i++)
        assert_non_null(strstr(p->ran.out, arena_cstr(p->a, keys.u.keys[i].kid)));
    assert_non_null(strstr(p->ran.out, "  sign  ES256  current since 2"));
    assert_non_null(strstr(p->ran.out, "  derive  HS256  current since 2"));
    assert_non_null(strstr(p->ran.out, "  seal  A256GCM  current since 2"));
    assert_non_null(strstr(p->ran.out, "  plain\n"));
    assert_true(strlen(p->ran.out) < 1024);
}

static void key_that_signs_is_removed_once_another_is_published(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    make_keys(p);
    str_t old = key_of(p, KEY_SIGN, KEY_CURRENT)->kid;
    snprintf(line, sizeof line, "admin key remove %" PRIstr, STR_ARG(old));
    admin_play_refused(p, line, EXIT_REFUSED, "signs and no other key is published");
    admin_play_run(p, "admin key rotate");
    str_t next = key_of(p, KEY_SIGN, KEY_NEXT)->kid;
    admin_play_run(p, line);
    assert_true(str_eq(key_of(p, KEY_SIGN, KEY_CURRENT)->kid, next));
    assert_int_equal(keys_of(p).count, 3);
    assert_non_null(strstr(admin_play_trail(p), "removed_by_admin"));
    admin_play_refused(p, line, EXIT_REFUSED, "there is no key");
}

static void other_keys_are_not_removed_one_by_one(void **state)
{
    admin_play_t *p = *state;
    char line[256];
    make_keys(p);
    for (key_use_t use = KEY_DERIVE; use <= KEY_SEAL; use++) {
        snprintf(line, sizeof line, "admin key remove %" PRIstr,
                 STR_ARG(key_of(p, use, KEY_CURRENT)->kid));
        admin_play_refused(p, line, EXIT_REFUSED, "rotate --at-once");
    }
    admin_play_refused(p, "admin key remove", EXIT_USAGE, "say which key");
}

static void at_once_takes_all_or_keeps_clients(void **state)
{
    admin_play_t *p = *state;
    make_keys(p);
    str_t seal = key_of(p, KEY_SEAL, KEY_CURRENT)->kid;
    admin_play_run(p, "admin key rotate --at-once --keep-clients");
    assert_true(str_eq(key_of(p, KEY_SEAL, KEY_RETIRED)->kid, seal));
    assert_int_equal(keys_of(p).count, 4);
    admin_play_run(p, "admin key rotate --at-once");
    assert_null(key_of(p, KEY_SEAL, KEY_RETIRED));
    assert_int_equal(keys_of(p).count, 3);
    admin_play_refused(p, "admin key rotate --keep-clients", EXIT_USAGE, "belongs to --at-once");
}

/* attack surface: a copy of the database alone */
static void resealed_keys_need_the_new_key(void **state)
{
    admin_play_t *p = *state;
    char line[768], first[256], second[256];
    strcpy(first, key_file(p, "first", KEY_1));
    strcpy(second, key_file(p, "second", KEY_2));
    make_keys(p);
    snprintf(line, sizeof line, "admin key reseal --new-key-file %s", first);
    admin_play_run(p, line);
    assert_non_null(strstr(p->ran.out, "start the server with that key"));
    ask_t keys = keys_of(p);
    for (size_t i = 0; i < keys.count; i++)
        assert_true(str_is_set(keys.u.keys[i].sealed_by));
    admin_play_refused(p, "admin key rotate", EXIT_SETTING, "give it by key_file");
    snprintf(line, sizeof line, "admin key rotate --key-file %s", second);
    admin_play_refused(p, line, EXIT_SETTING, "and the one given is '");
    snprintf(line, sizeof line, "admin key reseal --new-key-file %s", second);
    admin_play_refused(p, line, EXIT_SETTING, "give it by key_file");
    snprintf(line, sizeof line, "admin key reseal --new-key-file %s --key-file %s", second, first);
    admin_play_run(p, line);
    snprintf(line, sizeof line, "admin key rotate --key-file %s", second);
    admin_play_run(p, line);
    assert_non_null(key_of(p, KEY_SIGN, KEY_NEXT));
    admin_play_run(p, "admin key list");
    assert_non_null(strstr(p->ran.out, "encrypted under "));
    assert_null(strstr(p->ran.out, "plain"));
    assert_non_null(strstr(admin_play_trail(p), "resealed_by_admin"));
}

static void reseal_wants_a_file_that_nobody_else_reads(void **state)
{
    admin_play_t *p = *state;
    char line[512];
    make_keys(p);
    admin_play_refused(p, "admin key reseal", EXIT_USAGE, "--new-key-file");
    const char *path = key_file(p, "open", KEY_1);
    assert_int_equal(chmod(path, 0644), 0);
    snprintf(line, sizeof line, "admin key reseal --new-key-file %s", path);
    admin_play_refused(p, line, EXIT_SETTING, "chmod 600");
    assert_false(str_is_set(key_of(p, KEY_SIGN, KEY_CURRENT)->sealed_by));
}

int main(int argc, char **argv)
{
    int code;
    if (test_is_command(argc, argv, &code))
        return code;
    const struct CMUnitTest tests[] = {
        PLAY_TEST(list_tells_of_all_keys_and_no_secret),
        PLAY_TEST(key_that_signs_is_removed_once_another_is_published),
        PLAY_TEST(other_keys_are_not_removed_one_by_one),
        PLAY_TEST(at_once_takes_all_or_keeps_clients),
        PLAY_TEST(resealed_keys_need_the_new_key),
        PLAY_TEST(reseal_wants_a_file_that_nobody_else_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
