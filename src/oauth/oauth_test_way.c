#include "oauth/oauth_test_way.h"

#include "oauth/handle.h"

void way_begin(way_t *p)
{
    *p = (way_t){0};
    world_begin(&p->w);
    p->request = (authz_request_t){
        .client_id = p->w.client.id,
        .redirect_uri = STR("https://c.test/cb"),
        .state = STR("st"),
        .code_challenge = STR("challenge"),
        .scope = STR("a:read"),
        .resource = STR("https://rs.test/mcp"),
        .nonce = STR("n"),
        .max_age = -1,
    };
    p->consent = (consent_t){
        .user_id = p->w.user.id,
        .client_id = p->w.client.id,
        .resource = p->request.resource,
        .redirect_uri = p->request.redirect_uri,
        .scope = STR("a:read"),
    };
    p->facts = (oauth_authorize_facts_t){
        .settings = &p->w.settings,
        .random = &p->w.random,
        .now = TEST_NOW,
        .resources = &p->w.resources,
        .client = &p->w.client,
        .session = &p->w.session,
        .user = &p->w.user,
    };
}

void way_next(way_t *p)
{
    const authz_request_t *request =
        p->facts.interaction ? &p->facts.interaction->request : &p->request;
    assert_int_equal(oauth_authorize_next(p->w.a, &p->facts, request, &p->out), RC_OK);
}

void way_go_on(way_t *p)
{
    p->interaction = *p->out.interaction;
    p->facts.interaction = &p->interaction;
    p->facts.handle = p->out.handle;
}

void way_of_nobody(way_t *p)
{
    p->facts.session = NULL;
    p->facts.user = NULL;
}

void way_of_somebody(way_t *p, int64_t auth_time)
{
    p->w.session.auth_time = auth_time;
    p->w.session.id = oauth_handle_hash(STR("a session begun for this request"));
    p->facts.session = &p->w.session;
    p->facts.user = &p->w.user;
}
