/* warder admin key list|rotate|remove|reseal */
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/kek.h"

#include "as/keys.h"
#include "conf/conf_table.h"

#include <stdio.h>

enum { TRIES = 5 };

static const option_t ROTATE_OPTIONS[] = {
    {.name = "at-once", .is_switch = true},
    {.name = "keep-clients", .is_switch = true},
};
static const option_t RESEAL_OPTIONS[] = {{.name = "new-key-file"}};

/* What a command wants of the keys, and the plan that was applied, for the words that are printed.
 */
typedef struct {
    admin_t *admin;
    as_keys_policy_t policy;
    as_kek_t kek; /* the keys are sealed under it */
    str_t kid;    /* remove */
    const char *reason;
    conf_t conf;
    as_keys_plan_t plan;
} change_t;

typedef int (*change_plan_t)(change_t *c, const ask_t *keys);

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

static int not_planned(rc_t rc)
{
    if (rc == RC_LIMIT)
        return command_fail(EXIT_REFUSED, "as many keys are published as a key set may have; "
                                          "rotate again once retired ones have gone");
    return command_fail(EXIT_FAILED, "the keys could not be read or made (%s)", rc_name(rc));
}

static rc_t record(change_t *c)
{
    const audit_event_t event = {.kind = AUDIT_KEY_CHANGED,
                                 .allowed = true,
                                 .reason = str_c(c->reason),
                                 .detail = c->plan.about};
    return admin_try(c->admin, &c->plan.effects, &event);
}

/* One try. *again: somebody was faster. */
static int try_change(change_t *c, change_plan_t plan, bool *again)
{
    ask_t keys = {.kind = ASK_KEYS};
    *again = false;
    if (admin_ask(c->admin, &keys) != RC_OK)
        return EXIT_FAILED;
    int code = kek_check(&c->kek, keys.u.keys, keys.count);
    if (code != EXIT_DONE)
        return code;
    c->conf = cautious(c->admin, &keys);
    code = plan(c, &keys);
    if (code != EXIT_DONE || c->plan.effects.n == 0)
        return code;
    rc_t rc = record(c);
    *again = rc == RC_CONFLICT;
    return rc == RC_OK ? EXIT_DONE : EXIT_FAILED;
}

static int change(change_t *c, change_plan_t plan)
{
    bool again = true;
    int code = kek_load(c->admin->a, &c->admin->settings, &c->kek);
    c->policy.conf = &c->conf;
    c->policy.random = c->admin->random;
    c->policy.now = c->admin->now;
    if (!str_is_set(c->policy.kek.key))
        c->policy.kek = c->kek;
    for (int i = 0; code == EXIT_DONE && again && i < TRIES; i++) {
        code = try_change(c, plan, &again);
        if (again)
            code = EXIT_DONE;
    }
    if (code == EXIT_DONE && again)
        return command_fail(EXIT_FAILED, "others change the keys all the time; try again");
    return code;
}

/* ---- rotate ---- */

static int plan_rotation(change_t *c, const ask_t *keys)
{
    const as_keys_t all = {keys->u.keys, keys->count};
    rc_t rc = as_keys_plan(c->admin->a, &all, &c->policy, &c->plan);
    return rc == RC_OK ? EXIT_DONE : not_planned(rc);
}

static int rotate(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    bool at_once = option_is_set(rows, "at-once"), keep = option_is_set(rows, "keep-clients");
    if (keep && !at_once)
        return command_fail(EXIT_USAGE, "--keep-clients belongs to --at-once; without that, "
                                        "clients stay anyway");
    change_t c = {.admin = admin,
                  .policy = {.rotate_now = true, .at_once = at_once, .keep_clients = keep},
                  .reason = at_once ? "replaced_by_admin" : "rotated_by_admin"};
    int code = change(&c, plan_rotation);
    if (code != EXIT_DONE)
        return code;
    if (c.plan.effects.n > 0)
        printf("%" PRIstr "\n", STR_ARG(c.plan.about));
    else
        printf("a new key is published already\n");
    if (!at_once)
        printf("the keys change again at %" PRIstr "\n",
               STR_ARG(command_time(admin->a, c.plan.next_at)));
    return EXIT_DONE;
}

/* ---- list ---- */

static void print_key(admin_t *admin, const key_record_t *r)
{
    static const char *const USE[] = {
        [KEY_SIGN] = "sign", [KEY_DERIVE] = "derive", [KEY_SEAL] = "seal"};
    static const char *const STATE[] = {
        [KEY_NEXT] = "next", [KEY_CURRENT] = "current", [KEY_RETIRED] = "retired"};
    int64_t since = r->state == KEY_RETIRED   ? r->retired_at
                    : r->state == KEY_CURRENT ? r->activated_at
                                              : r->created_at;
    printf("%" PRIstr "  %s  %" PRIstr "  %s since %" PRIstr "  %s%" PRIstr "\n", STR_ARG(r->kid),
           USE[r->use], STR_ARG(r->alg), STATE[r->state], STR_ARG(command_time(admin->a, since)),
           str_is_set(r->sealed_by) ? "encrypted under " : "plain", STR_ARG(r->sealed_by));
}

static int list(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    ask_t keys = {.kind = ASK_KEYS};
    if (admin_ask(admin, &keys) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < keys.count; i++)
        print_key(admin, &keys.u.keys[i]);
    return EXIT_DONE;
}

/* ---- remove ---- */

static int refuse_removal(as_keys_removal_t verdict, str_t kid)
{
    if (verdict == AS_KEYS_UNKNOWN)
        return command_fail(EXIT_REFUSED,
                            "there is no key '%" PRIstr "'; see them with: warder admin key list",
                            STR_ARG(kid));
    if (verdict == AS_KEYS_ALONE)
        return command_fail(EXIT_REFUSED,
                            "'%" PRIstr "' signs and no other key is published; publish one with: "
                            "warder admin key rotate, or after a leak replace all with: warder "
                            "admin key rotate --at-once",
                            STR_ARG(kid));
    return command_fail(EXIT_REFUSED,
                        "'%" PRIstr "' is in use; only all keys together can be replaced, with: "
                        "warder admin key rotate --at-once",
                        STR_ARG(kid));
}

static int plan_removal(change_t *c, const ask_t *keys)
{
    as_removal_t removal;
    const as_keys_t all = {keys->u.keys, keys->count};
    rc_t rc = as_keys_remove(c->admin->a, &all, c->kid, c->policy.now, &removal);
    if (rc != RC_OK)
        return not_planned(rc);
    c->plan.effects = removal.effects;
    c->plan.about = removal.about;
    return removal.verdict == AS_KEYS_REMOVED ? EXIT_DONE : refuse_removal(removal.verdict, c->kid);
}

static int remove_key(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    if (n_words != 1)
        return command_fail(EXIT_USAGE, "say which key: warder admin key remove KID");
    change_t c = {.admin = admin, .kid = words[0], .reason = "removed_by_admin"};
    int code = change(&c, plan_removal);
    if (code == EXIT_DONE)
        printf("%" PRIstr "\n", STR_ARG(c.plan.about));
    return code;
}

/* ---- reseal ---- */

static int plan_reseal(change_t *c, const ask_t *keys)
{
    const as_keys_t all = {keys->u.keys, keys->count};
    int code = kek_check_planted(all.v, all.n);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = as_keys_reseal(c->admin->a, &all, &c->kek, &c->policy, &c->plan);
    return rc == RC_OK ? EXIT_DONE : not_planned(rc);
}

static int reseal(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)words;
    (void)n_words;
    change_t c = {.admin = admin, .reason = "resealed_by_admin"};
    if (!option_is_set(rows, "new-key-file"))
        return command_fail(EXIT_USAGE, "say which file holds the new key: --new-key-file FILE");
    int code = kek_file(admin->a, option_get(rows, "new-key-file"), &c.policy.kek);
    if (code == EXIT_DONE)
        code = change(&c, plan_reseal);
    if (code == EXIT_DONE)
        printf("%" PRIstr "; start the server with that key\n", STR_ARG(c.plan.about));
    return code;
}

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, list);
}

static int run_rotate(int argc, char **argv)
{
    return admin_command(argc, argv, ROTATE_OPTIONS, 2, 0, rotate);
}

static int run_remove(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, remove_key);
}

static int run_reseal(int argc, char **argv)
{
    return admin_command(argc, argv, RESEAL_OPTIONS, 1, 0, reseal);
}

const command_t CMD_ADMIN_KEY_LIST = {"admin key list", "",
                                      "lists the server's keys, never what they are", run_list};
const command_t CMD_ADMIN_KEY_ROTATE = {"admin key rotate", "[--at-once [--keep-clients]]",
                                        "publishes a new signing key and later signs with it; "
                                        "--at-once after a leak: replaces all keys",
                                        run_rotate};
const command_t CMD_ADMIN_KEY_REMOVE = {"admin key remove", "KID",
                                        "removes one signing key at once: what it signed is worth "
                                        "nothing",
                                        run_remove};
const command_t CMD_ADMIN_KEY_RESEAL = {"admin key reseal", "--new-key-file FILE",
                                        "encrypts all keys of the data folder under another key",
                                        run_reseal};
