/* warder admin client delete */
#include "as/keys.h"
#include "cmd/admin.h"
#include "cmd/command.h"
#include "cmd/kek.h"
#include "oauth/sealed_client.h"

static rc_t seal_keys(arena_t *a, const as_kek_t *kek, const ask_t *keys, str_list_t *out)
{
    const key_record_t *plain;
    as_seal_keys_t sealing;
    TRY(as_kek_open(a, kek, keys->u.keys, keys->count, &plain));
    rc_t rc = as_keys_sealing(a, plain, keys->count, &sealing);
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    str_t *v = ARENA_ARRAY(a, sealing.n + 1, str_t);
    if (!v)
        return RC_MEMORY;
    for (size_t i = 0; i < sealing.n; i++)
        v[i] = sealing.v[i].key;
    *out = (str_list_t){v, sealing.n};
    return RC_OK;
}

/* The client that an id holds; NULL: it is none of ours. */
static int open_id(admin_t *admin, str_t id, const client_t **out)
{
    as_kek_t kek;
    str_list_t opening = {0};
    ask_t keys = {.kind = ASK_KEYS};
    if (admin_ask(admin, &keys) != RC_OK)
        return EXIT_FAILED;
    int code = kek_load(admin->a, &admin->settings, &kek);
    if (code == EXIT_DONE)
        code = kek_check(&kek, keys.u.keys, keys.count);
    if (code != EXIT_DONE)
        return code;
    rc_t rc = seal_keys(admin->a, &kek, &keys, &opening);
    if (rc == RC_OK)
        rc = oauth_sealed_client_open(admin->a, opening, id, out, NULL);
    return rc == RC_OK ? EXIT_DONE
                       : command_fail(EXIT_FAILED, "the id could not be read (%s)", rc_name(rc));
}

/* An id that holds its registration works without a row, for machines for good: a row must say that
 * it is gone. An id that nobody made gets none, or a slip of the hand would look like a success. */
static int put_unstored(admin_t *admin, str_t id, effects_t *effects)
{
    const client_t *client = NULL;
    ask_t row = {.kind = ASK_CLIENT, .key = id};
    if (!oauth_sealed_client_is(id))
        return EXIT_DONE;
    if (admin_ask(admin, &row) != RC_OK)
        return EXIT_FAILED;
    int code = row.u.client ? EXIT_DONE : open_id(admin, id, &client);
    if (code == EXIT_DONE && client)
        effects_add(effects, EFFECT_CLIENT_PUT, admin->now)->u.client = client;
    return code;
}

static int delete (admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    effects_t effects = {0};
    if (n_words != 1)
        return command_fail(EXIT_USAGE, "say which: warder admin client delete ID");
    int code = put_unstored(admin, words[0], &effects);
    if (code != EXIT_DONE)
        return code;
    /* What nobody has used is forgotten by itself, deleted or not; this is for good. */
    effects_add(&effects, EFFECT_CLIENT_KEEP, admin->now)->u.key = words[0];
    effects_add(&effects, EFFECT_CLIENT_DELETE, admin_moment(admin))->u.key = words[0];
    audit_event_t event = {.kind = AUDIT_CLIENT_DELETED,
                           .allowed = true,
                           .reason = STR("deleted_by_admin"),
                           .client = words[0]};
    return admin_apply(admin, &effects, &event,
                       "there is no such client; 'warder admin client list' names them");
}

static int run_delete(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 1, delete);
}

const command_t CMD_ADMIN_CLIENT_DELETE = {
    "admin client delete", "ID", "deletes a client; ends its grants and tokens", run_delete};
