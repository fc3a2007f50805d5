/* warder admin key rotate */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "as/keys.h"
#include "conf/conf_table.h"

#include <stdio.h>

enum { TRIES = 5 };

static const option_t ROTATE_OPTIONS[] = {{.name = "at-once", .is_switch = true}};

/* A plan that was applied, for the words that are printed. */
typedef struct {
    effects_t effects;
    str_t about;
    int64_t next_at;
} rotation_t;

/* The server's settings decide of which algorithm keys are and when retired ones may go; this
 * command may run without them. It stays with the algorithm there is, and supposes the longest
 * tokens that a server can have issued: what is too cautious the server's own next plan mends. */
static conf_t cautious(const admin_t *admin, const ask_t *keys)
{
    conf_t conf = admin->settings.conf;
    size_t row = conf_row_find(STR("access_token_lifetime"));
    conf.access_token_lifetime = CONF_ROWS[row].max;
    for (size_t i = 0; i < keys->count; i++)
        if (keys->u.keys[i].use == KEY_SIGN && keys->u.keys[i].state == KEY_CURRENT)
            conf.signing_alg = keys->u.keys[i].alg;
    return conf;
}

static rc_t plan_and_apply(admin_t *admin, bool at_once, rotation_t *out)
{
    ask_t keys = {.kind = ASK_KEYS};
    TRY(admin_ask(admin, &keys));
    conf_t conf = cautious(admin, &keys);
    as_keys_policy_t policy = {.conf = &conf,
                               .random = admin->random,
                               .now = admin->now,
                               .rotate_now = true,
                               .at_once = at_once};
    rc_t rc = as_keys_plan(admin->a, keys.u.keys, keys.count, &policy, &out->effects, &out->about,
                           &out->next_at);
    if (rc != RC_OK)
        command_fail(EXIT_FAILED, "the keys could not be read or made (%s)", rc_name(rc));
    if (rc != RC_OK || out->effects.n == 0)
        return rc;
    audit_event_t event = {
        .kind = AUDIT_KEY_CHANGED,
        .allowed = true,
        .reason = at_once ? STR("replaced_by_admin") : STR("rotated_by_admin"),
        .detail = out->about,
    };
    return admin_try(admin, &out->effects, &event);
}

static int rotate(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    bool at_once = option_is_set(rows, "at-once");
    rotation_t rotation = {0};
    rc_t rc = RC_CONFLICT;
    for (int i = 0; i < TRIES && rc == RC_CONFLICT; i++)
        rc = plan_and_apply(admin, at_once, &rotation);
    if (rc == RC_CONFLICT)
        return command_fail(EXIT_FAILED, "others change the keys all the time; try again");
    if (rc != RC_OK)
        return EXIT_FAILED;
    if (rotation.effects.n > 0)
        printf("%" PRIstr "\n", STR_ARG(rotation.about));
    else
        printf("a new key is published already\n");
    if (!at_once)
        printf("the keys change again at %" PRIstr "\n",
               STR_ARG(admin_time(admin, rotation.next_at)));
    return EXIT_DONE;
}

static int run(int argc, char **argv)
{
    return admin_command(argc, argv, ROTATE_OPTIONS, 1, 0, rotate);
}

const command_t CMD_ADMIN_KEY_ROTATE = {"admin key rotate", "[--at-once]",
                                        "publishes a new signing key and later signs with it; "
                                        "--at-once after a leak: replaces all keys",
                                        run};
