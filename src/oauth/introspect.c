#include "oauth/introspect.h"

#include "core/json.h"
#include "core/limits.h"
#include "oauth/event.h"

rc_t oauth_token_query_read(arena_t *a, const form_t *form, const jwks_t *keys, str_t issuer,
                            oauth_token_query_t *out)
{
    str_t token;
    *out = (oauth_token_query_t){0};
    form_found_t found = form_get(form, STR("token"), &token);
    if (found == FORM_ONCE)
        return oauth_own_token_read(a, token, keys, issuer, &out->token);
    out->reason = found == FORM_REPEATED ? OAUTH_PARAMETER_REPEATED : OAUTH_TOKEN_MISSING;
    return RC_OK;
}

static oauth_reason_t check_client(const oauth_introspect_facts_t *f)
{
    if (f->claim->reason != OAUTH_FINE)
        return f->claim->reason;
    oauth_reason_t reason = oauth_client_auth_check(f->claim, f->client, f->now);
    if (reason != OAUTH_FINE)
        return reason;
    if (f->client->auth == CLIENT_AUTH_NONE)
        return OAUTH_INTROSPECTION_CONFIDENTIAL_ONLY;
    return f->query->reason;
}

/* A refresh token is nobody's business but its client's. */
static oauth_reason_t check_token(const oauth_introspect_facts_t *f)
{
    const oauth_own_facts_t *t = &f->token;
    if (t->access && !str_list_has(f->client->resources, t->access->resource))
        return OAUTH_INTROSPECTION_NOT_YOURS;
    if (t->refresh && t->family && !str_eq(t->family->client_id, f->client->id))
        return OAUTH_INTROSPECTION_NOT_YOURS;
    bool lives = oauth_own_access_lives(t, f->now) || oauth_own_refresh_lives(t, f->now);
    return lives ? OAUTH_FINE : OAUTH_INTROSPECTION_INACTIVE;
}

/* RFC 9449 section 6.2 */
static void write_confirmation(json_writer_t *w, str_t jkt)
{
    if (!str_is_set(jkt))
        return;
    json_key(w, STR("cnf"));
    json_begin_object(w);
    json_member_str(w, STR("jkt"), jkt);
    json_end_object(w);
}

/* As they are now: what an opaque token says is said when it is asked for. */
static void write_groups(json_writer_t *w, const user_t *owner, str_t sub)
{
    if (owner && str_eq(owner->id, sub) && owner->groups.n > 0)
        json_member_strs(w, STR("groups"), owner->groups);
}

static void write_access(json_writer_t *w, const oauth_introspect_facts_t *f)
{
    const access_token_t *t = f->token.access;
    bool bound = str_is_set(t->jkt);
    json_member_str(w, STR("token_type"), bound ? STR("DPoP") : STR("Bearer"));
    json_member_str(w, STR("sub"), t->sub);
    json_member_str(w, STR("aud"), t->resource);
    json_member_str(w, STR("client_id"), t->client_id);
    json_member_str(w, STR("scope"), t->scope);
    json_member_int(w, STR("exp"), t->expires_at);
    json_member_int(w, STR("iat"), t->created_at);
    json_member_str(w, STR("jti"), t->jti);
    if (t->auth_time != 0)
        json_member_int(w, STR("auth_time"), t->auth_time);
    json_member_str(w, STR("acr"), t->acr);
    write_groups(w, f->token.owner, t->sub);
    write_confirmation(w, t->jkt);
    if (!str_is_set(t->act))
        return;
    json_key(w, STR("act"));
    json_raw(w, t->act);
}

static void write_refresh(json_writer_t *w, const oauth_introspect_facts_t *f)
{
    const family_t *family = f->token.family;
    const refresh_t *t = f->token.refresh;
    json_member_str(w, STR("sub"), family->user_id);
    json_member_str(w, STR("aud"), family->resource);
    json_member_str(w, STR("client_id"), family->client_id);
    json_member_str(w, STR("scope"), family->scope);
    json_member_int(w, STR("exp"),
                    t->expires_at < family->expires_at ? t->expires_at : family->expires_at);
    json_member_int(w, STR("iat"), t->created_at);
    write_confirmation(w, family->jkt);
}

/* RFC 7662 section 2.2 */
static rc_t write_answer(arena_t *a, const oauth_introspect_facts_t *f, bool active, str_t *out)
{
    buf_t b = buf_new(a, LIMIT_ANSWER_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_bool(&w, STR("active"), active);
    if (active) {
        json_member_str(&w, STR("iss"), f->issuer);
        if (f->token.owner)
            json_member_str(&w, STR("username"), f->token.owner->name);
        if (f->token.access)
            write_access(&w, f);
        else
            write_refresh(&w, f);
    }
    json_end_object(&w);
    return buf_done(&b, out);
}

static void set_event(const oauth_introspect_facts_t *f, oauth_introspect_verdict_t *out)
{
    const oauth_own_facts_t *t = &f->token;
    out->event = oauth_event(AUDIT_INTROSPECTION, out->reason);
    out->event.client = f->claim->client_id;
    if (t->access) {
        out->event.resource = t->access->resource;
        out->event.scope = t->access->scope;
        out->event.token = t->access->jti;
        out->event.family = t->access->family_id;
    }
    if (!t->family)
        return;
    out->event.user = t->family->user_id;
    out->event.family = t->family->id;
    out->event.resource = t->family->resource;
}

rc_t oauth_introspect_decide(arena_t *a, const oauth_introspect_facts_t *facts,
                             oauth_introspect_verdict_t *out)
{
    *out = (oauth_introspect_verdict_t){.reason = check_client(facts)};
    out->status = oauth_reason_status(out->reason);
    if (out->reason != OAUTH_FINE) {
        set_event(facts, out);
        out->www_authenticate = oauth_client_auth_challenge(facts->claim, out->reason);
        return oauth_reason_json(a, out->reason, STR_UNSET, &out->body);
    }
    /* Whatever it is, and whosever: one answer for all that is not for this caller. */
    out->reason = check_token(facts);
    out->quiet = !facts->token.access && !facts->token.refresh;
    set_event(facts, out);
    return write_answer(a, facts, out->reason == OAUTH_FINE, &out->body);
}
