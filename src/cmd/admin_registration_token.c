/* warder admin registration-token */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "oauth/handle.h"

#include <stdio.h>

/* It is made for somebody who sets a client up now, or after the weekend. */
enum { LIFETIME = 7 * 86400 };

static int make(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    str_t token;
    rc_t rc = oauth_handle_new(admin->a, &admin->random, OAUTH_HANDLE_REGISTRATION, &token);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "the token could not be made (%s)", rc_name(rc));
    registration_token_t record = {.id = oauth_handle_hash(token),
                                   .created_at = admin->now,
                                   .expires_at = admin->now + LIFETIME};
    effects_t effects = {0};
    effects_add(&effects, EFFECT_REGISTRATION_TOKEN_INSERT, admin->now)->u.registration_token =
        &record;
    str_t until = command_time(admin->a, record.expires_at);
    audit_event_t event = {
        .kind = AUDIT_REGISTRATION_TOKEN,
        .allowed = true,
        .reason = STR("added_by_admin"),
        .detail = arena_printf(admin->a, "for one client until %" PRIstr, STR_ARG(until))};
    int code = admin_apply(admin, &effects, &event, "the random token is taken; try again");
    if (code != EXIT_DONE)
        return code;
    printf("%" PRIstr "\n", STR_ARG(token));
    return command_fail(EXIT_DONE,
                        "the token registers one client until %" PRIstr "; it is shown this once",
                        STR_ARG(until));
}

static int run(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, make);
}

const command_t CMD_ADMIN_REGISTRATION_TOKEN = {
    "admin registration-token", "",
    "makes a token that lets its holder register one client within seven days", run};
