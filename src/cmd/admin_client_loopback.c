/* warder admin client loopback: for clients in the field whose loopback path differs from what they
 * publish or registered. */
#include "cmd/admin.h"
#include "cmd/command.h"
#include "oauth/client_document.h"

#include <stdio.h>

static int read_word(str_t word, bool *any_path)
{
    *any_path = str_eq(word, STR("any-path"));
    if (*any_path || str_eq(word, STR("exact")))
        return EXIT_DONE;
    return command_fail(EXIT_USAGE, "say any-path or exact, not '%" PRIstr "'", STR_ARG(word));
}

/* A client by document needs no row before somebody approves it; what is decided for it gets one.
 */
static int find_client(admin_t *admin, str_t id, client_t *c)
{
    ask_t ask = {.kind = ASK_CLIENT, .key = id};
    if (admin_ask(admin, &ask) != RC_OK)
        return EXIT_FAILED;
    if (ask.u.client && ask.u.client->deleted_at == 0) {
        *c = *ask.u.client;
        return EXIT_DONE;
    }
    const oauth_settings_t settings = {
        .private_hosts = admin->settings.conf.client_document_private_hosts,
    };
    if (ask.u.client || oauth_client_document_check_url(&settings, id) != OAUTH_FINE)
        return command_fail(EXIT_REFUSED,
                            "there is no such client; 'warder admin client list' names them");
    *c = (client_t){.id = id, .origin = CLIENT_BY_DOCUMENT, .created_at = admin->now};
    return EXIT_DONE;
}

static int loopback(admin_t *admin, const option_t *rows, const str_t *words, size_t n_words)
{
    (void)rows;
    client_t client;
    bool any_path;
    if (n_words != 2)
        return command_fail(EXIT_USAGE, "say which and how: warder admin client loopback ID "
                                        "any-path|exact");
    int code = read_word(words[1], &any_path);
    if (code == EXIT_DONE)
        code = find_client(admin, words[0], &client);
    if (code != EXIT_DONE)
        return code;
    client.lenient_loopback = any_path;
    effects_t effects = {0};
    effects_add(&effects, EFFECT_CLIENT_PUT, admin->now)->u.client = &client;
    const audit_event_t event = {
        .kind = AUDIT_CLIENT_CHANGED,
        .allowed = true,
        .reason = STR("changed_by_admin"),
        .detail = any_path ? STR("any path of its loopback redirects will do")
                           : STR("its loopback redirects have their exact paths"),
        .client = client.id,
    };
    return admin_apply(admin, &effects, &event, "the client was deleted meanwhile");
}

static int run_loopback(int argc, char **argv)
{
    return admin_command(argc, argv, NULL, 0, 2, loopback);
}

const command_t CMD_ADMIN_CLIENT_LOOPBACK = {
    "admin client loopback", "ID any-path|exact",
    "lets a client be answered at any path of its loopback redirects, or not", run_loopback};
