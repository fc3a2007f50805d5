/* warder admin user add|password|groups|disable|list */
#include "cmd/admin.h"
#include "cmd/command.h"

#include "core/limits.h"
#include "identity/groups.h"
#include "identity/password.h"
#include "identity/username.h"
#include "oauth/label.h"

#include <stdio.h>

static const option_t PASSWORD_OPTIONS[] = {{.name = "password-stdin", .is_switch = true},
                                            {.name = "group", .many = true}};
static const option_t GROUPS_OPTIONS[] = {{.name = "none", .is_switch = true}};
enum { PASSWORD_ONLY = 1, WITH_GROUPS = 2 };

/* The first line of standard input, without its end; one byte more than fits means too long.
 * Unbuffered, so that no copy stays behind in a buffer that nobody wipes. */
static size_t read_line(char *line, size_t max)
{
    size_t n = 0;
    setvbuf(stdin, NULL, _IONBF, 0);
    for (int c = getchar(); c != EOF && c != '\n' && n < max; c = getchar())
        line[n++] = (char)c;
    return n > 0 && line[n - 1] == '\r' ? n - 1 : n;
}

static int hash_password(admin_t *admin, secret_t password, str_t name, str_t *hashed)
{
    identity_password_fault_t fault = identity_password_check(password, name);
    if (fault != IDENTITY_PASSWORD_FINE)
        return command_fail(EXIT_REFUSED, "%" PRIstr, STR_ARG(identity_password_fault_text(fault)));
    identity_password_cost_t cost = identity_password_cost_default();
    identity_password_hash_t hash;
    rc_t rc = identity_password_hash(&cost, password, &hash);
    if (rc != RC_OK)
        return command_fail(EXIT_FAILED, "the password could not be hashed (%s)", rc_name(rc));
    *hashed = arena_dup(admin->a, identity_password_hash_text(&hash));
    return str_is_set(*hashed) ? EXIT_DONE : command_out_of_memory();
}

/* A password must not stand on a command line, where everybody on the machine can read it. */
static int read_password(admin_t *admin, const option_t *rows, str_t name, str_t *hashed)
{
    if (!option_is_set(rows, "password-stdin"))
        return command_fail(EXIT_USAGE, "give the password on standard input, with "
                                        "--password-stdin");
    char line[LIMIT_PASSWORD_BYTES + 1];
    size_t n = read_line(line, sizeof line);
    int code = n > 0 ? hash_password(admin, secret_of(str_of(line, n)), name, hashed)
                     : command_fail(EXIT_USAGE, "the first line of standard input holds no "
                                                "password");
    secret_wipe(line, sizeof line);
    return code;
}

static int read_name(admin_t *admin, const str_t *words, size_t n_words, str_t *name)
{
    if (n_words != 1)
        return command_fail(EXIT_USAGE, "say who: one user name");
    rc_t rc = identity_username_normalize(admin->a, words[0], name);
    if (rc == RC_MALFORMED)
        return command_fail(EXIT_REFUSED,
                            "this is no user name: take 1 to %d letters, digits and . _ - + @, "
                            "the first a letter or digit",
                            LIMIT_USERNAME_BYTES);
    return rc == RC_OK ? EXIT_DONE : command_out_of_memory();
}

static int find_user(admin_t *admin, str_t name, const user_t **out)
{
    ask_t ask = {.kind = ASK_USER_BY_NAME, .key = name};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    if (!ask.u.user)
        return command_fail(EXIT_REFUSED,
                            "there is no user '%" PRIstr "'; 'warder admin user list' names them",
                            STR_ARG(name));
    *out = ask.u.user;
    return EXIT_DONE;
}

static int read_groups(admin_t *admin, const str_t *names, size_t n, str_list_t *out)
{
    switch (identity_groups_of_words(admin->a, (str_list_t){names, n}, out)) {
    case RC_OK:
        return EXIT_DONE;
    case RC_MALFORMED:
        return command_fail(
            EXIT_REFUSED,
            "a group is named by 1 to %d bytes of UTF-8 without control characters, "
            "quotes and backslash, and no space at its ends",
            IDENTITY_GROUP_BYTES);
    case RC_LIMIT:
        return command_fail(EXIT_REFUSED,
                            "a person is in at most %d groups, with names of %d bytes together: "
                            "tokens carry them",
                            IDENTITY_GROUPS_MAX, IDENTITY_GROUPS_BYTES);
    default:
        return command_out_of_memory();
    }
}

static int add(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    user_t user = {.created_at = admin->now, .password_changed_at = admin->now};
    const option_t *groups = option_row(rows, "group");
    int code = read_name(admin, words, n_words, &user.name);
    if (code == EXIT_DONE)
        code = read_groups(admin, groups->values, groups->n, &user.groups);
    if (code == EXIT_DONE)
        code = read_password(admin, rows, user.name, &user.password);
    if (code != EXIT_DONE)
        return code;
    if (admin_random_text(admin, "u_", 16, &user.id) != RC_OK)
        return command_fail(EXIT_FAILED, "the system gives no random bytes");
    effects_t effects = {0};
    effects_add(&effects, EFFECT_USER_INSERT, admin->now)->u.user = &user;
    audit_event_t event = {.kind = AUDIT_USER_CREATED,
                           .allowed = true,
                           .reason = STR("added_by_admin"),
                           .user = user.id};
    code = admin_apply(admin, &effects, &event,
                       "a user of that name exists already; 'warder "
                       "admin user password' sets its password");
    if (code == EXIT_DONE)
        printf("%" PRIstr " is %" PRIstr "\n", STR_ARG(user.name), STR_ARG(user.id));
    return code;
}

static int run_add(int argc, char **argv)
{
    return admin_command(argc, argv, PASSWORD_OPTIONS, WITH_GROUPS, 1, add);
}

static int set_password(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    str_t name, hashed;
    const user_t *old = NULL;
    int code = read_name(admin, words, n_words, &name);
    if (code == EXIT_DONE)
        code = find_user(admin, name, &old);
    if (code == EXIT_DONE)
        code = read_password(admin, rows, name, &hashed);
    if (code != EXIT_DONE)
        return code;
    user_t user = *old;
    user.password = hashed;
    user.password_changed_at = admin->now;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_USER_SET_PASSWORD, admin_moment(admin))->u.user = &user;
    audit_event_t event = {.kind = AUDIT_USER_CHANGED,
                           .allowed = true,
                           .reason = STR("password_set_by_admin"),
                           .user = user.id};
    return admin_apply(admin, &effects, &event, "the user is gone");
}

static int run_password(int argc, char **argv)
{
    return admin_command(argc, argv, PASSWORD_OPTIONS, PASSWORD_ONLY, 1, set_password);
}

static int print_groups(const user_t *user)
{
    for (size_t i = 0; i < user->groups.n; i++)
        printf("%" PRIstr "\n", STR_ARG(user->groups.v[i]));
    return EXIT_DONE;
}

/* All groups that the person is to be in, from the next token on; without any they are shown. */
static int set_groups(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    str_t name;
    const user_t *old = NULL;
    bool none = option_is_set(rows, "none");
    int code = read_name(admin, words, n_words > 0 ? 1 : 0, &name);
    if (code == EXIT_DONE)
        code = find_user(admin, name, &old);
    if (code != EXIT_DONE)
        return code;
    if (none && n_words > 1)
        return command_fail(EXIT_USAGE, "--none takes the person out of all groups: name none");
    if (!none && n_words == 1)
        return print_groups(old);
    user_t user = *old;
    code = read_groups(admin, words + 1, n_words - 1, &user.groups);
    if (code != EXIT_DONE)
        return code;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_USER_SET_GROUPS, admin->now)->u.user = &user;
    audit_event_t event = {.kind = AUDIT_USER_CHANGED,
                           .allowed = true,
                           .reason = STR("groups_set_by_admin"),
                           .user = user.id};
    return admin_apply(admin, &effects, &event, "the user is gone");
}

static int run_groups(int argc, char **argv)
{
    return admin_command(argc, argv, GROUPS_OPTIONS, 1, 1 + IDENTITY_GROUPS_MAX, set_groups);
}

static int disable(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    str_t name;
    const user_t *user = NULL;
    int code = read_name(admin, words, n_words, &name);
    if (code == EXIT_DONE)
        code = find_user(admin, name, &user);
    if (code != EXIT_DONE)
        return code;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_USER_DISABLE, admin_moment(admin))->u.key = user->id;
    audit_event_t event = {.kind = AUDIT_USER_CHANGED,
                           .allowed = true,
                           .reason = STR("disabled_by_admin"),
                           .user = user->id};
    return admin_apply(admin, &effects, &event, "the user is gone");
}

static int run_disable(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, disable);
}

/* Who the person is where they come from; as they were named there. */
static void print_origin(admin_t *admin, const user_t *user)
{
    str_t subject, issuer;
    if (str_is_set(user->issuer) &&
        oauth_label_clean(admin->a, user->subject, LIMIT_CLIENT_TEXT_BYTES, &subject) == RC_OK &&
        oauth_label_clean(admin->a, user->issuer, LIMIT_CLIENT_TEXT_BYTES, &issuer) == RC_OK)
        printf("  %" PRIstr " of %" PRIstr, STR_ARG(subject), STR_ARG(issuer));
}

static void print_user(admin_t *admin, const user_t *user)
{
    printf("%" PRIstr "  %" PRIstr "%s%s", STR_ARG(user->id), STR_ARG(user->name),
           user->admin ? "  admin" : "", user->disabled ? "  disabled" : "");
    for (size_t i = 0; i < user->groups.n; i++)
        printf("%s%" PRIstr, i > 0 ? ", " : "  in ", STR_ARG(user->groups.v[i]));
    print_origin(admin, user);
    printf("\n");
}

static int list(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    (void)words;
    (void)n_words;
    ask_t ask = {.kind = ASK_USERS};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    for (size_t i = 0; i < ask.count; i++)
        print_user(admin, &ask.u.users[i]);
    return EXIT_DONE;
}

static int run_list(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 0, list);
}

const command_t CMD_ADMIN_USER_ADD = {"admin user add", "NAME --password-stdin [--group G...]",
                                      "creates an account", run_add};
const command_t CMD_ADMIN_USER_GROUPS = {
    "admin user groups", "NAME [G...] [--none]",
    "puts a person into groups, or shows them; tokens carry them", run_groups};
const command_t CMD_ADMIN_USER_PASSWORD = {"admin user password", "NAME --password-stdin",
                                           "changes a password; ends the account's sessions and "
                                           "grants",
                                           run_password};
const command_t CMD_ADMIN_USER_DISABLE = {
    "admin user disable", "NAME", "disables an account; ends its sessions and grants", run_disable};
const command_t CMD_ADMIN_USER_LIST = {"admin user list", "", "lists the accounts", run_list};
