#include "as/as_test_browser.h"

#include "core/b64.h"
#include "core/limits.h"
#include "oauth/handle.h"
#include "web/form.h"

#include <stdio.h>

/* Requests and answers. */

str_t world_request(world_t *w, const char *method, str_t target, const char *headers, str_t body)
{
    buf_t b = buf_new(w->a, 1 << 20);
    str_t out;
    buf_fmt(&b, "%s %" PRIstr " HTTP/1.1\r\nHost: as.test\r\n%s", method, STR_ARG(target), headers);
    if (strcmp(method, "POST") == 0 || body.n > 0)
        buf_fmt(&b, "Content-Length: %zu\r\n", body.n);
    buf_put(&b, STR("\r\n"));
    buf_put(&b, body);
    assert_ok(buf_done(&b, &out));
    return out;
}

http_direct_t *world_open(world_t *w, const http_app_t *app)
{
    size_t i = 0;
    while (i < W_FLIGHTS_MAX && w->flights[i])
        i++;
    assert_true(i < W_FLIGHTS_MAX);
    http_direct_t *d = w->flights[i] = http_direct_new(app, w->worker);
    assert_non_null(d);
    http_direct_peer(d, w->peer, (http_proxies_t){0});
    return d;
}

http_direct_t *world_send(world_t *w, str_t request)
{
    http_direct_t *d = world_open(w, &w->as->app);
    http_direct_send(d, request);
    return d;
}

bool world_is_answered(const http_direct_t *d)
{
    return http_direct_output(d).n > 0;
}

answer_t world_land(world_t *w, http_direct_t *d)
{
    answer_t r;
    while (!world_is_answered(d))
        if (!world_pump(w, 10000))
            fail_msg("no answer");
    assert_ok(http_direct_parse(w->a, arena_dup(w->a, http_direct_output(d)), &r));
    for (size_t i = 0; i < W_FLIGHTS_MAX; i++)
        if (w->flights[i] == d)
            w->flights[i] = NULL;
    http_direct_free(d);
    return r;
}

answer_t world_ask(world_t *w, str_t request)
{
    return world_land(w, world_send(w, request));
}

answer_t world_get(world_t *w, const char *target)
{
    return world_ask(w, world_request(w, "GET", str_c(target), "", STR("")));
}

answer_t world_post(world_t *w, const char *path, const char *headers, str_t form)
{
    str_t all = arena_printf(w->a, "%s%s", W_FORM, headers);
    return world_ask(w, world_request(w, "POST", str_c(path), arena_cstr(w->a, all), form));
}

const char *world_basic(world_t *w, const char *id, const char *secret)
{
    str_t plain = arena_printf(w->a, "%s:%s", id, secret);
    str_t code = b64_encode(w->a, plain.p, plain.n);
    return arena_printf(w->a, "Authorization: Basic %" PRIstr "\r\n", STR_ARG(code)).p;
}

str_t answer_header(const answer_t *r, const char *name)
{
    return http_headers_get(r->headers, str_c(name));
}

bool answer_is_page(const answer_t *r)
{
    return str_eq(answer_header(r, "content-type"), STR("text/html; charset=utf-8")) &&
           str_is_set(answer_header(r, "content-security-policy")) &&
           str_contains(r->body, STR("</html>"));
}

const json_t *answer_json(world_t *w, const answer_t *r)
{
    const json_t *json;
    assert_text(answer_header(r, "content-type"), "application/json");
    assert_ok(json_parse(w->a, r->body, NULL, &json));
    return json;
}

str_t answer_error(world_t *w, const answer_t *r)
{
    return json_get_str(answer_json(w, r), STR("error"));
}

/* Browsers. */

browser_t browser_new(world_t *w)
{
    return (browser_t){.w = w};
}

static str_t cookies(const browser_t *b)
{
    bool secure = b->w->as->secure;
    str_t session = identity_cookie_name(IDENTITY_COOKIE_SESSION, secure);
    str_t browser = identity_cookie_name(IDENTITY_COOKIE_BROWSER, secure);
    if (!b->session[0] && !b->browser[0])
        return STR("");
    return arena_printf(b->w->a, "Cookie: %" PRIstr "=%s; %" PRIstr "=%s\r\n", STR_ARG(session),
                        b->session, STR_ARG(browser), b->browser);
}

str_t browser_request(const browser_t *b, const char *method, str_t target, str_t form)
{
    world_t *w = b->w;
    bool is_post = strcmp(method, "POST") == 0;
    str_t headers = arena_printf(w->a, "%s%" PRIstr,
                                 is_post ? W_FORM "Origin: " W_ISSUER "\r\n"
                                                  "Sec-Fetch-Site: same-origin\r\n"
                                         : "",
                                 STR_ARG(cookies(b)));
    return world_request(w, method, target, arena_cstr(w->a, headers), form);
}

static void keep_cookie(char out[96], str_t line, str_t name)
{
    if (!str_starts(line, name) || line.p[name.n] != '=')
        return;
    str_t value = str_skip(line, name.n + 1);
    snprintf(out, 96, "%.*s", (int)str_find(value, ';', 0), value.p);
}

void browser_keep(browser_t *b, const answer_t *r)
{
    bool secure = b->w->as->secure;
    for (size_t i = 0; i < r->headers.n; i++) {
        const http_header_t *h = &r->headers.v[i];
        if (!str_eq_nocase(h->name, STR("set-cookie")))
            continue;
        keep_cookie(b->session, h->value, identity_cookie_name(IDENTITY_COOKIE_SESSION, secure));
        keep_cookie(b->browser, h->value, identity_cookie_name(IDENTITY_COOKIE_BROWSER, secure));
    }
}

answer_t browser_get(browser_t *b, str_t target)
{
    answer_t r = world_ask(b->w, browser_request(b, "GET", target, STR("")));
    browser_keep(b, &r);
    return r;
}

answer_t browser_post(browser_t *b, const char *path, str_t form)
{
    answer_t r = world_ask(b->w, browser_request(b, "POST", str_c(path), form));
    browser_keep(b, &r);
    return r;
}

static size_t find(str_t s, str_t part)
{
    const char *hit = memmem(s.p, s.n, part.p, part.n);
    return hit ? (size_t)(hit - s.p) : s.n;
}

str_t page_field(str_t page, const char *name)
{
    char mark[64];
    snprintf(mark, sizeof mark, "name=\"%s\" value=\"", name);
    str_t rest = str_skip(page, find(page, str_c(mark)));
    if (rest.n == 0)
        return STR_UNSET;
    rest = str_skip(rest, strlen(mark));
    return str_first(rest, str_find(rest, '"', 0));
}

str_t forward_form(world_t *w, str_t page)
{
    str_t mark = STR("action=\"/login/elsewhere\"");
    size_t at = 0;
    while (at < page.n && !str_starts(str_skip(page, at), mark))
        at++;
    str_t form = str_skip(page, at);
    str_t csrf = page_field(form, "csrf"), interaction = page_field(form, "interaction");
    if (form.n == 0)
        return STR("");
    return arena_printf(w->a, "csrf=%" PRIstr "%s%" PRIstr, STR_ARG(csrf),
                        str_is_set(interaction) ? "&interaction=" : "",
                        STR_ARG(str_is_set(interaction) ? interaction : STR("")));
}

str_t page_target(world_t *w, str_t page)
{
    str_t mark = STR("http-equiv=\"refresh\" content=\"0;url="), out;
    str_t rest = str_skip(page, find(page, mark));
    if (rest.n == 0)
        return STR_UNSET;
    rest = str_skip(rest, mark.n);
    rest = str_first(rest, str_find(rest, '"', 0));
    buf_t b = buf_new(w->a, LIMIT_REDIRECT_BYTES);
    while (rest.n > 0) {
        size_t amp = find(rest, STR("&amp;"));
        buf_put(&b, str_first(rest, amp));
        if (amp < rest.n)
            buf_char(&b, '&');
        rest = str_skip(rest, amp + 5);
    }
    assert_ok(buf_done(&b, &out));
    return out;
}

str_t url_parameter(world_t *w, str_t url, const char *name)
{
    form_t form;
    str_t value;
    assert_ok(form_parse(w->a, str_skip(url, str_find(url, '?', 0) + 1), &form));
    form_get(&form, str_c(name), &value);
    return value;
}

str_t login_form(world_t *w, str_t page, const char *name, const char *password)
{
    str_t interaction = page_field(page, WEB_FIELD_INTERACTION), out;
    buf_t b = buf_new(w->a, 8192);
    buf_put(&b, STR("csrf="));
    buf_form(&b, page_field(page, WEB_FIELD_CSRF));
    buf_put(&b, STR("&username="));
    buf_form(&b, str_c(name));
    buf_put(&b, STR("&password="));
    buf_form(&b, str_c(password));
    if (str_is_set(interaction))
        buf_fmt(&b, "&interaction=%" PRIstr, STR_ARG(interaction));
    assert_ok(buf_done(&b, &out));
    return out;
}

answer_t browser_login(browser_t *b, str_t page, const char *name, const char *password)
{
    return browser_post(b, "/login", login_form(b->w, page, name, password));
}

void browser_sign_in(browser_t *b)
{
    answer_t page = browser_get(b, STR("/login"));
    assert_status(page, 200);
    answer_t r = browser_login(b, page.body, W_USER, W_PASSWORD);
    assert_status(r, 303);
    assert_true(b->session[0]);
}

/* The walk through an authorization. */

str_t authorize_target(world_t *w, const char *client, const char *more)
{
    hash_t hash = oauth_handle_hash(STR(W_VERIFIER));
    buf_t b = buf_new(w->a, 8192);
    str_t out;
    bool native = strcmp(client, W_NATIVE) == 0;
    buf_fmt(&b,
            "/authorize?response_type=code&client_id=%s&state=st%%20%%26&redirect_uri=", client);
    buf_form(&b, native ? STR("http://127.0.0.1:4711/cb") : STR(W_REDIRECT));
    buf_put(&b, STR("&code_challenge_method=S256&code_challenge="));
    buf_b64url(&b, hash.b, sizeof hash.b);
    buf_put(&b, str_c(more));
    assert_ok(buf_done(&b, &out));
    return out;
}

str_t decision_form(world_t *w, str_t page, const char *decision)
{
    str_t csrf = page_field(page, WEB_FIELD_CSRF);
    str_t interaction = page_field(page, WEB_FIELD_INTERACTION);
    str_t document = page_field(page, WEB_FIELD_DOCUMENT);
    return arena_printf(w->a,
                        "csrf=%" PRIstr "&interaction=%" PRIstr "&document=%" PRIstr "&decision=%s",
                        STR_ARG(csrf), STR_ARG(interaction), STR_ARG(document), decision);
}

/* To the first answer that is not about the login. */
static answer_t pass_login(browser_t *b, const char *client, const char *more)
{
    answer_t r = browser_get(b, authorize_target(b->w, client, more));
    if (!str_contains(r.body, STR("action=\"/login\"")))
        return r;
    r = browser_login(b, r.body, W_USER, W_PASSWORD);
    assert_status(r, 303);
    return browser_get(b, answer_header(&r, "location"));
}

str_t browser_to_consent(browser_t *b, const char *client, const char *more)
{
    answer_t r = pass_login(b, client, more);
    assert_status(r, 200);
    assert_true(str_contains(r.body, STR("name=\"decision\"")));
    return r.body;
}

str_t browser_walk(browser_t *b, const char *client, const char *more)
{
    answer_t r = pass_login(b, client, more);
    if (str_contains(r.body, STR("name=\"decision\"")))
        r = browser_post(b, "/consent", decision_form(b->w, r.body, "approve"));
    str_t target = r.status == 303 ? answer_header(&r, "location") : page_target(b->w, r.body);
    str_t code = url_parameter(b->w, target, "code");
    assert_true(str_is_set(code));
    return code;
}

str_t code_form(world_t *w, const char *client, str_t code)
{
    return arena_printf(w->a,
                        "grant_type=authorization_code&client_id=%s&code=%" PRIstr
                        "&code_verifier=" W_VERIFIER,
                        client, STR_ARG(code));
}

str_t refresh_form(world_t *w, const char *client, str_t token)
{
    return arena_printf(w->a, "grant_type=refresh_token&client_id=%s&refresh_token=%" PRIstr,
                        client, STR_ARG(token));
}

tokens_t answer_tokens(world_t *w, const answer_t *r)
{
    assert_status(*r, 200);
    const json_t *json = answer_json(w, r);
    return (tokens_t){json_get_str(json, STR("access_token")),
                      json_get_str(json, STR("refresh_token")), json_get_str(json, STR("scope"))};
}

tokens_t world_grant(world_t *w)
{
    browser_t b = browser_new(w);
    str_t code = browser_walk(&b, W_PUBLIC, "");
    answer_t r = world_post(w, "/token", "", code_form(w, W_PUBLIC, code));
    return answer_tokens(w, &r);
}
