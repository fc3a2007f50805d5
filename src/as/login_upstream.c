/* Signing in at the provider of login_issuer: there by a button of our own login page, back by the
 * callback. Each step asks the provider only when the one before was in order, so that no stranger
 * makes us fetch anything. */
#include "as/endpoints.h"
#include "as/login_page.h"
#include "as/page.h"
#include "as/upstream.h"
#include "core/limits.h"
#include "oauth/authorize.h"
#include "oauth/handle.h"
#include "oauth/parameters.h"
#include "oauth/prompt.h"
#include "oauth/subject.h"
#include "web/onward.h"

typedef identity_upstream_verdict_t verdict_t;

typedef struct {
    as_browser_t browser;
    identity_upstream_t settings;
    bool configured;
    str_t metadata_url;
    str_t handle;             /* of the interaction that waits; unset: none */
    const ask_t *interaction; /* NULL: nothing to look up, as the following */
    as_flow_document_t *metadata, *keys;
    identity_upstream_provider_t provider;
    form_t answer; /* of the callback */
    verdict_t state;
    identity_upstream_pending_t pending;
    identity_upstream_person_t person;
    str_t user_id;
    const ask_t *user, *namesake;
    as_upstream_post_t exchange; /* of the code */
} elsewhere_t;

static void note(as_flow_t *f, const effects_t *effects, verdict_t verdict, str_t detail)
{
    const elsewhere_t *own = f->own;
    const audit_event_t event = {
        .kind = AUDIT_LOGIN,
        .allowed = verdict == IDENTITY_UPSTREAM_FINE,
        .reason = identity_upstream_reason(verdict),
        .detail = str_is_set(detail) ? detail : identity_upstream_about(verdict),
        .user = own->user_id,
    };
    as_flow_take(f, effects, &event);
}

/* A cookie that led here is used up, whatever came of it; one that did not fit may be that of a
 * sign-in that somebody wants to disturb. */
static rc_t drop_cookie(as_flow_t *f)
{
    const elsewhere_t *own = f->own;
    bool used =
        own->state == IDENTITY_UPSTREAM_FINE || own->state == IDENTITY_UPSTREAM_STATE_EXPIRED;
    return str_is_set(own->browser.upstream) && used ? as_browser_clear(f, IDENTITY_COOKIE_UPSTREAM)
                                                     : RC_OK;
}

static rc_t refuse(as_flow_t *f, verdict_t verdict, str_t detail)
{
    static const effects_t NONE = {.n = 0};
    elsewhere_t *own = f->own;
    bool away = verdict == IDENTITY_UPSTREAM_UNAVAILABLE;
    const web_login_t view = {.interaction = own->handle,
                              .notice = away ? WEB_LOGIN_AWAY : WEB_LOGIN_FAILED};
    note(f, &NONE, verdict, detail);
    TRY(as_login_page(f, &own->browser, away ? 503 : 403, &view));
    return drop_cookie(f);
}

static void end_refused(as_flow_t *f, verdict_t verdict, str_t detail)
{
    as_flow_settle(f, refuse(f, verdict, detail));
}

static rc_t configure(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    rc_t rc = as_upstream_settings(f, &own->settings);
    own->configured = rc == RC_OK;
    if (rc != RC_OK)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    return identity_upstream_metadata_url(f->a, own->settings.issuer, &own->metadata_url);
}

static void not_found(as_flow_t *f)
{
    const web_error_t view = {.status = 404, .sentence = STR("There is no such page.")};
    as_flow_settle(f, as_page_error(f, &view));
}

static void ask_interaction(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    if (!str_is_set(own->handle))
        return;
    ask_t *ask = as_flow_ask(f, ASK_INTERACTION);
    ask->hash = oauth_handle_hash(own->handle);
    own->interaction = ask;
}

static const interaction_t *waiting(const elsewhere_t *own)
{
    return own->interaction ? own->interaction->u.interaction : NULL;
}

/* The metadata is there, and of the very issuer that is set, with the slash that it may end in. */
static bool read_provider(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    return str_is_set(own->metadata->body) &&
           identity_upstream_provider(f->a, own->metadata_url, own->metadata->body,
                                      &own->provider) == RC_OK &&
           str_eq(own->provider.issuer, own->settings.issuer);
}

/* ---- there ---- */

/* Where somebody is signed in already and must sign in again, so must they there. Also where nobody
 * is and the client wants to know that it was just now: the provider may have a session of days. */
static bool must_be_anew(const elsewhere_t *own)
{
    static const hash_t NONE;
    const interaction_t *i = waiting(own);
    return i && (memcmp(&i->session_id, &NONE, sizeof NONE) != 0 || i->request.max_age >= 0 ||
                 oauth_prompt_read(i->request.prompt).login);
}

static rc_t go(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    identity_upstream_begun_t begun;
    identity_upstream_pending_t pending = {
        .interaction = own->handle, .again = must_be_anew(own), .begun_at = f->now};
    if (!read_provider(f))
        return refuse(f, IDENTITY_UPSTREAM_UNAVAILABLE, own->metadata->why);
    TRY(identity_upstream_begin(f->a, &f->w->as->random, &own->settings, &own->provider,
                                f->snapshot->seal_keys.v[0].key, &pending, &begun));
    const web_onward_t view = {begun.url, as_upstream_name(f->w->as)};
    buf_t page = as_page_new(f->a);
    web_page_onward(&page, &view);
    TRY(as_page_answer(f, 200, &page));
    return as_browser_set(f, IDENTITY_COOKIE_UPSTREAM, begun.cookie);
}

static void step_go(as_flow_t *f)
{
    as_flow_settle(f, go(f));
}

static rc_t read_button(as_flow_t *f)
{
    form_t form;
    str_t token;
    oauth_reason_t reason;
    elsewhere_t *own = f->own;
    TRY(configure(f));
    TRY(oauth_parameters_read(f->a, f->x->body, &form, &reason));
    form_get(&form, STR(WEB_FIELD_INTERACTION), &own->handle);
    form_get(&form, STR(WEB_FIELD_CSRF), &token);
    own->browser = as_browser_read(f);
    own->state = as_browser_fits(f, &own->browser, IDENTITY_CSRF_FORWARD, own->handle, token)
                     ? IDENTITY_UPSTREAM_FINE
                     : IDENTITY_UPSTREAM_STATE_WRONG;
    return RC_OK;
}

static rc_t refuse_form(as_flow_t *f)
{
    static const effects_t NONE = {.n = 0};
    elsewhere_t *own = f->own;
    const audit_event_t event = {
        .kind = AUDIT_LOGIN,
        .reason = STR("form_not_ours"),
        .detail = STR("the form's token does not belong to this browser and page"),
    };
    const web_login_t view = {.interaction = own->handle, .notice = WEB_LOGIN_STALE};
    as_flow_take(f, &NONE, &event);
    return as_login_page(f, &own->browser, 403, &view);
}

void as_login_elsewhere_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(elsewhere_t), read_button);
    elsewhere_t *own = f ? f->own : NULL;
    if (!own)
        return;
    if (!own->configured) {
        not_found(f);
        return;
    }
    if (own->state != IDENTITY_UPSTREAM_FINE) {
        as_flow_settle(f, refuse_form(f));
        return;
    }
    ask_interaction(f);
    own->metadata = as_flow_fetch(f, own->metadata_url, &AS_FETCHED_PROVIDER);
    as_flow_gather(f, step_go);
}

/* ---- and back ---- */

static rc_t sign_in(as_flow_t *f, const user_t *user, effects_t *effects)
{
    str_t handle;
    elsewhere_t *own = f->own;
    const as_t *as = f->w->as;
    const session_t *before = own->browser.session ? own->browser.session->u.session : NULL;
    const identity_session_login_t login = {
        .random = &as->random,
        .times = as->session_times,
        .user_id = user->id,
        .acr = own->person.acr,
        .auth_time = own->person.auth_time,
        .before = before,
        .now = f->now,
    };
    if (waiting(own))
        TRY(oauth_authorize_release(f->a, waiting(own), before, f->now, effects));
    TRY(identity_session_begin(f->a, &login, effects, NULL, &handle));
    note(f, effects, IDENTITY_UPSTREAM_FINE, STR_UNSET);
    as_page_see_other(f, as_login_next(f, own->handle));
    TRY(as_browser_set(f, IDENTITY_COOKIE_SESSION, handle));
    return drop_cookie(f);
}

/* Whoever comes second with one answer finds its name spent. */
static rc_t spend(as_flow_t *f, effects_t *effects)
{
    const elsewhere_t *own = f->own;
    spent_t *spent = ARENA_NEW(f->a, spent_t);
    if (!spent)
        return RC_MEMORY;
    *spent = identity_upstream_spent(&own->pending);
    const oauth_spent_t seen = as_flow_seen(f);
    oauth_spent_add(&seen, spent, f->now, effects);
    return RC_OK;
}

static rc_t decide(as_flow_t *f)
{
    static const hash_t UNSPENT;
    elsewhere_t *own = f->own;
    verdict_t verdict;
    const user_t *user;
    effects_t effects = {.n = 0};
    const identity_upstream_account_t facts = {
        .person = &own->person,
        .issuer = own->settings.issuer,
        .id = own->user_id,
        .user = own->user->u.user,
        .namesake = own->namesake ? own->namesake->u.user : NULL,
        .now = f->now,
    };
    if (memcmp(&f->spent, &UNSPENT, sizeof UNSPENT) != 0)
        return refuse(f, IDENTITY_UPSTREAM_STATE_USED, STR_UNSET);
    TRY(spend(f, &effects));
    TRY(identity_upstream_account(f->a, &facts, &effects, &user, &verdict));
    return verdict == IDENTITY_UPSTREAM_FINE ? sign_in(f, user, &effects)
                                             : refuse(f, verdict, STR_UNSET);
}

static void step_decide(as_flow_t *f)
{
    as_flow_settle(f, decide(f));
}

static void ask_account(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    rc_t rc =
        oauth_subject_id(f->a, own->settings.issuer, STR_UNSET, own->person.subject, &own->user_id);
    if (rc != RC_OK) {
        as_flow_fail(f, rc);
        return;
    }
    ask_t *user = as_flow_ask(f, ASK_USER);
    user->key = own->user_id;
    own->user = user;
    if (str_is_set(own->person.name)) {
        ask_t *namesake = as_flow_ask(f, ASK_USER_BY_NAME);
        namesake->key = own->person.name;
        own->namesake = namesake;
    }
    as_flow_gather_again(f, step_decide);
}

/* The ID token may be signed with a key that is newer than what is kept. */
static void step_judge(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    verdict_t verdict;
    const identity_upstream_tokens_t tokens = {
        .settings = &own->settings,
        .pending = &own->pending,
        .body = own->exchange.response.body,
        .jwks = own->keys->body,
        .now = f->now,
    };
    if (!str_is_set(own->keys->body)) {
        end_refused(f, IDENTITY_UPSTREAM_UNAVAILABLE, own->keys->why);
        return;
    }
    rc_t rc = identity_upstream_id_token(f->a, &tokens, &own->person, &verdict);
    if (rc != RC_OK)
        as_flow_fail(f, rc);
    else if (verdict == IDENTITY_UPSTREAM_ID_TOKEN_KEY && as_flow_fetch_again(own->keys))
        as_flow_gather(f, step_judge);
    else if (verdict == IDENTITY_UPSTREAM_FINE)
        ask_account(f);
    else
        end_refused(f, verdict, STR_UNSET);
}

static void step_exchanged(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    const http_fetch_result_t *r = &own->exchange.response;
    if (own->exchange.rc != RC_OK) {
        as_flow_fail(f, own->exchange.rc);
        return;
    }
    if (r->verdict != HTTP_FETCH_OK || r->status >= 500) {
        end_refused(f, IDENTITY_UPSTREAM_UNAVAILABLE, http_fetch_verdict_name(r->verdict));
        return;
    }
    if (r->status != 200) {
        end_refused(f, IDENTITY_UPSTREAM_EXCHANGE, STR_UNSET);
        return;
    }
    own->keys = as_flow_fetch(f, own->provider.jwks_uri, &AS_FETCHED_KEYS);
    as_flow_gather(f, step_judge);
}

static rc_t exchange(as_flow_t *f, str_t code)
{
    elsewhere_t *own = f->own;
    http_fetch_request_t *request = &own->exchange.request;
    request->url = own->provider.token_endpoint;
    request->private_hosts = f->w->as->oauth.private_hosts;
    TRY(identity_upstream_exchange(f->a, &own->settings, &own->provider, &own->pending, code,
                                   &request->form, &request->authorization));
    return as_upstream_send(f, &own->exchange, step_exchanged);
}

static void step_exchange(as_flow_t *f)
{
    elsewhere_t *own = f->own;
    str_t code, detail;
    if (!read_provider(f)) {
        end_refused(f, IDENTITY_UPSTREAM_UNAVAILABLE, own->metadata->why);
        return;
    }
    verdict_t verdict = identity_upstream_answer(&own->provider, &own->answer, &code, &detail);
    if (verdict != IDENTITY_UPSTREAM_FINE) {
        end_refused(f, verdict, detail);
        return;
    }
    rc_t rc = exchange(f, code);
    if (rc == RC_BUSY)
        end_refused(f, IDENTITY_UPSTREAM_UNAVAILABLE, STR("too many fetches"));
    else if (rc != RC_OK)
        as_flow_fail(f, rc);
}

static rc_t read_callback(as_flow_t *f)
{
    oauth_reason_t reason;
    elsewhere_t *own = f->own;
    TRY(configure(f));
    TRY(oauth_parameters_read(f->a, as_flow_parameters(f), &own->answer, &reason));
    own->browser = as_browser_read(f);
    if (!own->configured)
        return RC_OK;
    own->state = identity_upstream_open(f->a, &own->settings, f->snapshot->seal_keys.v[0].key,
                                        own->browser.upstream, &own->answer, f->now, &own->pending);
    if (own->state == IDENTITY_UPSTREAM_FINE || own->state == IDENTITY_UPSTREAM_STATE_EXPIRED)
        own->handle = own->pending.interaction;
    return RC_OK;
}

void as_login_callback_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(elsewhere_t), read_callback);
    elsewhere_t *own = f ? f->own : NULL;
    if (!own)
        return;
    if (!own->configured) {
        not_found(f);
        return;
    }
    if (own->state != IDENTITY_UPSTREAM_FINE) {
        end_refused(f, own->state, STR_UNSET);
        return;
    }
    ask_interaction(f);
    own->metadata = as_flow_fetch(f, own->metadata_url, &AS_FETCHED_PROVIDER);
    as_flow_gather(f, step_exchange);
}
