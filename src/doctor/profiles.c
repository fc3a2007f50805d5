#include "doctor/profiles.h"

#include "client/url_rule.h"
#include "doctor/look.h"
#include "doctor/resource_fit.h"

/* What a client is and can. */
enum {
    HOSTED = 1,              /* calls from its own cloud */
    DOCUMENT = 2,            /* has a client ID metadata document */
    DOCUMENT_NEEDS_NONE = 4, /* and uses it only where the server lists none */
    REGISTERS = 8,           /* RFC 7591 */
    EXACT = 16,              /* compares resource byte for byte */
    IN_BROWSER = 32,
};

static const struct {
    doctor_client_row_t row;
    unsigned flags;
} CLIENTS[DOCTOR_CLIENT_COUNT] = {
#define PROFILE(name, text, label, flags)                                                          \
    [DOCTOR_CLIENT_##name] = {{STR_INIT(text), STR_INIT(label)}, flags},
#include "doctor/profiles.def"
#undef PROFILE
};

/* Where each looks, in order. With a URL in the challenge all look there alone. */
static const doctor_ask_t RESOURCE_SPECIFIED[] = {DOCTOR_ASK_PRM_PATH, DOCTOR_ASK_PRM_ROOT,
                                                  DOCTOR_ASK_COUNT};
static const doctor_ask_t RESOURCE_PATH[] = {DOCTOR_ASK_PRM_PATH, DOCTOR_ASK_COUNT};
static const doctor_ask_t SERVER_SPECIFIED[] = {DOCTOR_ASK_AS_RFC8414, DOCTOR_ASK_AS_OIDC_INSERTED,
                                                DOCTOR_ASK_AS_OIDC, DOCTOR_ASK_COUNT};
static const doctor_ask_t SERVER_RFC8414[] = {DOCTOR_ASK_AS_RFC8414, DOCTOR_ASK_COUNT};
static const doctor_ask_t SERVER_BARE[] = {DOCTOR_ASK_AS_ROOT, DOCTOR_ASK_COUNT};

static const struct {
    const doctor_ask_t *resource, *server;
} ORDERS[DOCTOR_CLIENT_COUNT] = {
    [DOCTOR_CLIENT_CLAUDE] = {RESOURCE_PATH, SERVER_RFC8414},
    [DOCTOR_CLIENT_CLAUDE_CODE] = {RESOURCE_SPECIFIED, SERVER_BARE},
    [DOCTOR_CLIENT_CHATGPT] = {RESOURCE_SPECIFIED, SERVER_RFC8414},
    [DOCTOR_CLIENT_CODEX] = {RESOURCE_SPECIFIED, SERVER_SPECIFIED},
    [DOCTOR_CLIENT_CURSOR] = {RESOURCE_SPECIFIED, SERVER_SPECIFIED},
    [DOCTOR_CLIENT_VSCODE] = {RESOURCE_SPECIFIED, SERVER_SPECIFIED},
    [DOCTOR_CLIENT_INSPECTOR] = {RESOURCE_SPECIFIED, SERVER_SPECIFIED},
    [DOCTOR_CLIENT_GEMINI_CLI] = {RESOURCE_SPECIFIED, SERVER_BARE},
    [DOCTOR_CLIENT_STRICT] = {RESOURCE_SPECIFIED, SERVER_SPECIFIED},
};

const doctor_client_row_t *doctor_client_row(doctor_client_t client)
{
    return &CLIENTS[client].row;
}

bool doctor_client_find(str_t name, doctor_client_t *out)
{
    for (doctor_client_t i = 0; i < DOCTOR_CLIENT_COUNT; i++) {
        if (!str_eq(CLIENTS[i].row.name, name))
            continue;
        *out = i;
        return true;
    }
    return false;
}

str_t doctor_verdict_id(doctor_verdict_t verdict)
{
    static const str_t IDS[DOCTOR_VERDICT_COUNT] = {
        [DOCTOR_CONNECTS] = STR_INIT("connects"),
        [DOCTOR_CONNECTS_OPEN] = STR_INIT("connects_without_token"),
        [DOCTOR_FAILS] = STR_INIT("fails"),
        [DOCTOR_CANNOT_REACH] = STR_INIT("cannot_reach"),
    };
    return IDS[verdict];
}

/* One client on its way. */
typedef struct {
    arena_t *a;
    const doctor_facts_t *f;
    const bool *hit;
    doctor_client_t client;
    unsigned flags;
} way_t;

#define CHECKS(...) ((const doctor_check_t[]){__VA_ARGS__, DOCTOR_CHECK_COUNT})
#define NAMED(name) DOCTOR_CHECK_##name

static bool fails(doctor_walk_t *out, doctor_phase_t phase, doctor_check_t check)
{
    *out = (doctor_walk_t){DOCTOR_FAILS, phase, check};
    return true;
}

/* Fails because of the first of the list that hit. */
static bool fails_by(const way_t *w, doctor_walk_t *out, doctor_phase_t phase,
                     const doctor_check_t *list)
{
    while (*list != DOCTOR_CHECK_COUNT && !w->hit[*list])
        list++;
    return fails(out, phase, *list);
}

/* The first check of the phase that hit and names this client. */
static bool fails_named(const way_t *w, doctor_walk_t *out, doctor_phase_t phase)
{
    for (doctor_check_t i = 0; i < DOCTOR_CHECK_COUNT; i++) {
        const doctor_check_row_t *row = doctor_check_row(i);
        if (w->hit[i] && row->phase == phase && (row->who & (1u << w->client)))
            return fails(out, phase, i);
    }
    return false;
}

static bool finds(const doctor_facts_t *f, const doctor_ask_t *order)
{
    LOOK_EACH(order, ask)
    {
        if (doctor_json(f, *ask))
            return true;
    }
    return false;
}

static bool fails_at_resource(const way_t *w, doctor_walk_t *out)
{
    bool named = str_is_set(w->f->challenge.resource_metadata);
    bool found = named ? doctor_json(w->f, DOCTOR_ASK_PRM_CHALLENGE) != NULL
                       : finds(w->f, ORDERS[w->client].resource);
    if (fails_named(w, out, DOCTOR_PHASE_RESOURCE))
        return true;
    if (!found)
        return fails_by(w, out, DOCTOR_PHASE_RESOURCE,
                        CHECKS(NAMED(resource_metadata_none), NAMED(resource_metadata_gone),
                               NAMED(resource_metadata_redirects),
                               NAMED(resource_metadata_not_json),
                               NAMED(resource_metadata_root_only), NAMED(metadata_fails)));
    if (!(w->flags & EXACT))
        return false;
    doctor_fit_t fit = doctor_resource_fit(w->a, w->f);
    if (fit == DOCTOR_FIT_SLASH)
        return fails(out, DOCTOR_PHASE_RESOURCE, NAMED(resource_slash));
    return fit == DOCTOR_FIT_WIDER && fails(out, DOCTOR_PHASE_RESOURCE, NAMED(resource_wider));
}

static bool fails_at_server(const way_t *w, doctor_walk_t *out)
{
    if (!finds(w->f, ORDERS[w->client].server))
        return fails_by(w, out, DOCTOR_PHASE_SERVER,
                        CHECKS(NAMED(unreachable), NAMED(certificate_expired),
                               NAMED(certificate_name), NAMED(certificate_untrusted),
                               NAMED(handshake_failed), NAMED(server_metadata_redirects),
                               NAMED(server_metadata_not_json), NAMED(server_metadata_none),
                               NAMED(metadata_fails), NAMED(server_metadata_places)));
    return fails_named(w, out, DOCTOR_PHASE_SERVER);
}

static bool fails_at_registration(const way_t *w, doctor_walk_t *out)
{
    const json_t *server = w->f->server;
    bool none = look_holds(server, STR("token_endpoint_auth_methods_supported"), STR("none"));
    bool by_document = (w->flags & DOCUMENT) && (none || !(w->flags & DOCUMENT_NEEDS_NONE)) &&
                       look_is_true(server, STR("client_id_metadata_document_supported"));
    bool by_itself =
        (w->flags & REGISTERS) && str_is_set(json_get_str(server, STR("registration_endpoint")));
    if (by_document)
        return false;
    if (!by_itself)
        return fails_by(w, out, DOCTOR_PHASE_REGISTRATION,
                        CHECKS(NAMED(registration_none), (w->flags & DOCUMENT)
                                                             ? NAMED(documents_without_none)
                                                             : NAMED(registration_documents_only)));
    return fails_named(w, out, DOCTOR_PHASE_REGISTRATION);
}

static bool fails_at_all(const way_t *w, doctor_walk_t *out)
{
    return fails_named(w, out, DOCTOR_PHASE_REACH) || fails_named(w, out, DOCTOR_PHASE_CHALLENGE) ||
           fails_at_resource(w, out) || fails_at_server(w, out) || fails_at_registration(w, out) ||
           fails_named(w, out, DOCTOR_PHASE_SIGN_IN) || fails_named(w, out, DOCTOR_PHASE_BROWSER) ||
           fails_named(w, out, DOCTOR_PHASE_TOKEN);
}

static bool cannot_reach(const way_t *w)
{
    return (w->flags & HOSTED) &&
           client_url_reach(w->f->url, HTTP_REACH_PUBLIC) != HTTP_REACH_PUBLIC;
}

doctor_walk_t doctor_walk(arena_t *a, const doctor_facts_t *f, const bool hit[DOCTOR_CHECK_COUNT],
                          doctor_client_t client)
{
    const way_t w = {a, f, hit, client, CLIENTS[client].flags};
    doctor_walk_t out = {DOCTOR_CONNECTS, DOCTOR_PHASE_REACH, DOCTOR_CHECK_COUNT};
    if (cannot_reach(&w)) {
        out.verdict = DOCTOR_CANNOT_REACH;
        return out;
    }
    if (doctor_is_open(f)) {
        bool fails_first = fails_named(&w, &out, DOCTOR_PHASE_REACH) ||
                           fails_named(&w, &out, DOCTOR_PHASE_BROWSER);
        out.verdict = fails_first ? DOCTOR_FAILS : DOCTOR_CONNECTS_OPEN;
        return out;
    }
    (void)fails_at_all(&w, &out);
    return out;
}
