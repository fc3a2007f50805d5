/* Checks of the phase CHALLENGE: how the endpoint refuses who has no token. */
#include "doctor/look.h"

#include "oauth/scope.h"

static bool refused(const look_t *l)
{
    return l->f->refused_at != DOCTOR_ASK_COUNT;
}

/* UNSEEN where nothing was refused with 401. */
static doctor_check_end_t fine_refused(const look_t *l)
{
    return refused(l) ? DOCTOR_CHECK_FINE : DOCTOR_CHECK_UNSEEN;
}

static int first_status(const look_t *l)
{
    return doctor_status(l->f, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_open_to_all(look_t *l)
{
    if (doctor_is_open(l->f))
        return HIT(l, "initialize without a token: %d", first_status(l));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_token_not_demanded(look_t *l)
{
    if (look_is_2xx(first_status(l)) && !refused(l) && l->f->resource)
        return HIT(l, "initialize without a token: %d, and metadata at %" PRIstr, first_status(l),
                   STR_ARG(l->f->at[l->f->resource_at].url));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_token_demanded_late(look_t *l)
{
    if (look_is_2xx(first_status(l)) && refused(l))
        return HIT(l, "initialize: %d; %" PRIstr ": 401", first_status(l),
                   STR_ARG(doctor_ask_row(l->f->refused_at)->id));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

static bool is_refusal(int status)
{
    return status >= 400 && status < 500 && status != 401 && status != 404 && status != 405 &&
           status != 410;
}

/* A server of the stateless era alone may refuse initialize as such. */
doctor_check_end_t check_refused_without_401(look_t *l)
{
    int discover = doctor_status(l->f, DOCTOR_ASK_DISCOVER);
    if (is_refusal(first_status(l)) && discover != 401 && !look_is_2xx(discover))
        return HIT(l, "initialize without a token: %d", first_status(l));
    return look_fine(l, DOCTOR_ASK_INITIALIZE);
}

doctor_check_end_t check_eras_differ(look_t *l)
{
    int discover = doctor_status(l->f, DOCTOR_ASK_DISCOVER);
    if (first_status(l) == 401 && discover != 0 && discover != 401)
        return HIT(l, "initialize: 401; server/discover: %d", discover);
    return look_fine(l, DOCTOR_ASK_DISCOVER);
}

doctor_check_end_t check_session_before_token(look_t *l)
{
    int list = doctor_status(l->f, DOCTOR_ASK_LIST);
    if (first_status(l) == 401 && (list == 400 || list == 404))
        return HIT(l, "initialize: 401; tools/list without a session: %d", list);
    return look_fine(l, DOCTOR_ASK_LIST);
}

static str_t header_seen(const look_t *l)
{
    return doctor_header(l->f, l->f->refused_at, STR("WWW-Authenticate"));
}

doctor_check_end_t check_challenge_missing(look_t *l)
{
    if (refused(l) && !str_is_set(header_seen(l)))
        return HIT(l, "401 to %" PRIstr " without WWW-Authenticate",
                   STR_ARG(doctor_ask_row(l->f->refused_at)->id));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_malformed(look_t *l)
{
    if (refused(l) && l->f->challenges.malformed)
        return HIT(l, "WWW-Authenticate: %" PRIstr, STR_ARG(header_seen(l)));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_repeated(look_t *l)
{
    for (size_t i = 0; i < l->f->challenges.n; i++)
        if (l->f->challenges.v[i].repeated)
            return HIT(l, "WWW-Authenticate: %" PRIstr, STR_ARG(header_seen(l)));
    return fine_refused(l);
}

static bool any_repeated(const look_t *l)
{
    for (size_t i = 0; i < l->f->challenges.n; i++)
        if (l->f->challenges.v[i].repeated)
            return true;
    return false;
}

doctor_check_end_t check_challenge_no_bearer(look_t *l)
{
    bool whole = l->f->challenges.n > 0 && !l->f->challenges.malformed && !any_repeated(l);
    if (whole && !l->f->challenge.found)
        return HIT(l, "WWW-Authenticate: %" PRIstr, STR_ARG(header_seen(l)));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_no_metadata(look_t *l)
{
    const client_challenge_t *c = &l->f->challenge;
    if (c->found && !l->f->challenges.malformed && !str_is_set(c->resource_metadata))
        return HIT(l, "WWW-Authenticate: %" PRIstr, STR_ARG(header_seen(l)));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_server_metadata(look_t *l)
{
    str_t url = l->f->challenge.resource_metadata;
    const json_t *json = doctor_json(l->f, DOCTOR_ASK_PRM_CHALLENGE);
    bool names = str_contains(url, STR("/oauth-authorization-server")) ||
                 str_contains(url, STR("/openid-configuration"));
    bool holds = str_is_set(json_get_str(json, STR("issuer"))) &&
                 !json_get(json, STR("authorization_servers"));
    if (names || holds)
        return HIT(l, "resource_metadata=\"%" PRIstr "\"", STR_ARG(url));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_relative(look_t *l)
{
    str_t url = l->f->challenge.resource_metadata;
    if (str_is_set(url) && !look_is_http_url(url))
        return HIT(l, "resource_metadata=\"%" PRIstr "\"", STR_ARG(url));
    return fine_refused(l);
}

doctor_check_end_t check_challenge_plain_http(look_t *l)
{
    str_t url = l->f->challenge.resource_metadata;
    url_t u;
    bool plain = look_is_http_url(url) && url_parse(url, &u) == RC_OK && !url_is_https(&u);
    if (plain && url_is_https(&l->f->parts))
        return HIT(l, "resource_metadata=\"%" PRIstr "\"", STR_ARG(url));
    return fine_refused(l);
}

static bool is_in_other_case(str_t name)
{
    static const char *const KNOWN[] = {"resource_metadata", "scope", "error", "error_description",
                                        NULL};
    for (const char *const *known = KNOWN; *known; known++)
        if (str_eq_nocase(name, str_c(*known)))
            return !str_eq(name, str_c(*known));
    return false;
}

doctor_check_end_t check_challenge_letter_case(look_t *l)
{
    const client_challenges_t *all = &l->f->challenges;
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->v[i].n_params; k++)
            if (is_in_other_case(all->v[i].params[k].name))
                return HIT(l, "%" PRIstr, STR_ARG(all->v[i].params[k].name));
    return fine_refused(l);
}

doctor_check_end_t check_error_without_token(look_t *l)
{
    if (str_is_set(l->f->challenge.error))
        return HIT(l, "error=\"%" PRIstr "\"", STR_ARG(l->f->challenge.error));
    return fine_refused(l);
}

doctor_check_end_t check_refusal_is_page(look_t *l)
{
    if (refused(l) && look_is_page(l, l->f->refused_at))
        return HIT(l, "401 with Content-Type: text/html");
    return fine_refused(l);
}

doctor_check_end_t check_bogus_accepted(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_BOGUS);
    if (first_status(l) == 401 && look_is_2xx(status))
        return HIT(l, "%d to initialize with a token that was made up", status);
    return look_fine(l, DOCTOR_ASK_BOGUS);
}

doctor_check_end_t check_bogus_without_401(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_BOGUS);
    if (first_status(l) == 401 && status != 401 && status >= 300)
        return HIT(l, "%d to initialize with a token that was made up", status);
    return look_fine(l, DOCTOR_ASK_BOGUS);
}

/* The challenge of another answer than the first refusal's. */
static bool read_error(const look_t *l, doctor_ask_t ask, str_t *error)
{
    client_challenges_t all;
    client_challenge_t one = {0};
    str_t value = doctor_header(l->f, ask, STR("WWW-Authenticate"));
    const str_list_t values = {&value, 1};
    if (!str_is_set(value) || client_challenges_read(l->a, values, &all) != RC_OK ||
        client_challenge_pick(l->a, &all, &one) != RC_OK)
        return false;
    *error = one.error;
    return one.found && !all.malformed;
}

doctor_check_end_t check_bogus_no_error(look_t *l)
{
    str_t error;
    bool read =
        doctor_status(l->f, DOCTOR_ASK_BOGUS) == 401 && read_error(l, DOCTOR_ASK_BOGUS, &error);
    if (read && !str_eq(error, STR("invalid_token")))
        return HIT(l, "error=\"%" PRIstr "\"", STR_ARG(error));
    return look_fine(l, DOCTOR_ASK_BOGUS);
}

/* It was read where the answer is another one than without it. */
doctor_check_end_t check_token_in_query(look_t *l)
{
    str_t error = STR_UNSET;
    int status = doctor_status(l->f, DOCTOR_ASK_QUERY);
    bool read = status == 401 && read_error(l, DOCTOR_ASK_QUERY, &error) &&
                str_eq(error, STR("invalid_token"));
    if (first_status(l) != 401 || str_is_set(l->f->challenge.error))
        return look_fine(l, DOCTOR_ASK_QUERY);
    if (look_is_2xx(status) || read)
        return HIT(l, "%d%s to initialize with access_token in the URL", status,
                   read ? " invalid_token" : "");
    return look_fine(l, DOCTOR_ASK_QUERY);
}

doctor_check_end_t check_get_is_json(look_t *l)
{
    if (doctor_json(l->f, DOCTOR_ASK_GET))
        return HIT(l, "200 with a JSON object to GET %" PRIstr, STR_ARG(l->f->url));
    return look_fine(l, DOCTOR_ASK_GET);
}

doctor_check_end_t check_slash_is_another(look_t *l)
{
    int status = doctor_status(l->f, DOCTOR_ASK_SLASH);
    bool another = look_is_3xx(status) || status == 404 || status == 405;
    if (first_status(l) == 401 && another)
        return look_hit_status(l, DOCTOR_ASK_SLASH);
    return look_fine(l, DOCTOR_ASK_SLASH);
}

doctor_check_end_t check_offline_in_challenge(look_t *l)
{
    if (oauth_scope_has(l->f->challenge.scope, STR("offline_access")))
        return HIT(l, "scope=\"%" PRIstr "\"", STR_ARG(l->f->challenge.scope));
    return fine_refused(l);
}
