/* warder admin revoke --all | --user NAME | --client ID | --token JTI */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "identity/username.h"
#include "oauth/reason.h"

/* As long as a token may live, and what clocks may differ by. */
enum { REMEMBERED_S = MODEL_ACCESS_TOKEN_MAX_S + 120 };

static const option_t OPTIONS[] = {
    {.name = "all", .is_switch = true},
    {.name = "user"},
    {.name = "client"},
    {.name = "token"},
};

static int find_user(admin_t *admin, str_t name, revoked_t *r)
{
    str_t id;
    rc_t rc = identity_username_normalize(admin->a, name, &id);
    ask_t ask = {.kind = ASK_USER_BY_NAME, .key = rc == RC_OK ? id : name};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    if (!ask.u.user)
        return command_fail(EXIT_REFUSED,
                            "there is no user '%" PRIstr "'; 'warder admin user list' names them",
                            STR_ARG(name));
    r->key = ask.u.user->id;
    return EXIT_DONE;
}

/* Exactly one of the options. */
static int read_what(admin_t *admin, const option_t *rows, revoked_t *r)
{
    static const struct {
        const char *option;
        revoked_kind_t kind;
    } KINDS[] = {{"all", REVOKED_ALL},
                 {"user", REVOKED_SUBJECT},
                 {"client", REVOKED_CLIENT},
                 {"token", REVOKED_TOKEN}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (!option_is_set(rows, KINDS[i].option))
            continue;
        r->kind = KINDS[i].kind;
        r->key = r->kind == REVOKED_ALL ? STR("") : option_get(rows, KINDS[i].option);
        n++;
    }
    if (n != 1 || (r->kind != REVOKED_ALL && r->key.n == 0))
        return command_fail(EXIT_USAGE, "say what to revoke: one of --user NAME, --client ID, "
                                        "--token JTI and --all");
    return r->kind == REVOKED_SUBJECT ? find_user(admin, r->key, r) : EXIT_DONE;
}

static audit_event_t event_of(const revoked_t *r)
{
    static const str_t ABOUT[REVOKED_KIND_COUNT] = {
        [REVOKED_TOKEN] = STR_INIT("one access token"),
        [REVOKED_SUBJECT] = STR_INIT("all grants and tokens of the person"),
        [REVOKED_CLIENT] = STR_INIT("all grants and tokens of the client"),
        [REVOKED_ALL] = STR_INIT("all grants and tokens"),
    };
    audit_event_t e = {.kind = AUDIT_REVOKE,
                       .allowed = true,
                       .reason = oauth_reason_name(OAUTH_REVOKED_BY_ADMIN),
                       .detail = ABOUT[r->kind]};
    e.user = r->kind == REVOKED_SUBJECT ? r->key : STR_UNSET;
    e.client = r->kind == REVOKED_CLIENT ? r->key : STR_UNSET;
    e.token = r->kind == REVOKED_TOKEN ? r->key : STR_UNSET;
    return e;
}

static int revoke_tokens(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    const int64_t at = admin_moment(admin);
    revoked_t r = {.at = at, .expires_at = at + REMEMBERED_S};
    int code = read_what(admin, rows, &r);
    if (code != EXIT_DONE)
        return code;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_REVOCATION_PUT, admin->now)->u.revoked = &r;
    audit_event_t event = event_of(&r);
    return admin_apply(admin, &effects, &event, "nothing was revoked; try again");
}

static int run(int argc, char **argv)
{
    return admin_command(argc, argv, OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, 0, revoke_tokens);
}

const command_t CMD_ADMIN_REVOKE = {"admin revoke",
                                    "--all | --user NAME | --client ID | --token JTI",
                                    "ends access tokens before their time, and but for "
                                    "--token the grants behind them",
                                    run};
