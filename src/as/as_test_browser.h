/* Requests to the world's server: of clients, of browsers, and what the trail says of them. */
#ifndef AS_AS_TEST_BROWSER_H
#define AS_AS_TEST_BROWSER_H

#include "as/as_test_world.h"

#include "core/form.h"
#include "core/json.h"
#include "identity/cookie.h"

#define W_FORM     "Content-Type: application/x-www-form-urlencoded\r\n"
#define W_JSON     "Content-Type: application/json\r\n"
#define W_VERIFIER "abcdefghijklmnopqrstuvwxyz0123456789-._~ABC"

typedef http_direct_answer_t answer_t;

/** The bytes of a request; `headers` are lines with their ends, or "". */
str_t world_request(world_t *w, const char *method, str_t target, const char *headers, str_t body);
/** A connection to `app`; its answer is taken by world_land. */
http_direct_t *world_open(world_t *w, const http_app_t *app);
/** Sends a request on a connection of its own; world_land pumps until it is answered. */
http_direct_t *world_send(world_t *w, str_t request);
bool world_is_answered(const http_direct_t *d);
answer_t world_land(world_t *w, http_direct_t *d);
/** Both. */
answer_t world_ask(world_t *w, str_t request);
answer_t world_get(world_t *w, const char *target);
/** POST of a form to an API route. */
answer_t world_post(world_t *w, const char *path, const char *headers, str_t form);
/** Basic credentials as a header line. */
const char *world_basic(world_t *w, const char *id, const char *secret);
str_t answer_header(const answer_t *r, const char *name);
bool answer_is_page(const answer_t *r);
/** The body, parsed. */
const json_t *answer_json(world_t *w, const answer_t *r);
/** Its member `error`. */
str_t answer_error(world_t *w, const answer_t *r);
#define assert_status(r, want)                                                                     \
    do {                                                                                           \
        if ((r).status != (want))                                                                  \
            fail_msg("status %d instead of %d: %" PRIstr, (r).status, (want), STR_ARG((r).body));  \
    } while (0)

/** A browser keeps its cookies. */
typedef struct {
    world_t *w;
    char session[96], browser[96]; /* empty: none */
} browser_t;

browser_t browser_new(world_t *w);
str_t browser_request(const browser_t *b, const char *method, str_t target, str_t form);
/** Takes the cookies of an answer. */
void browser_keep(browser_t *b, const answer_t *r);
answer_t browser_get(browser_t *b, str_t target);
answer_t browser_post(browser_t *b, const char *path, str_t form);
/** A hidden field of a page; unset: none. */
str_t page_field(str_t page, const char *name);
/** What the button to the provider would post; "" where the page has none. */
str_t forward_form(world_t *w, str_t page);
/** Where a page goes on to, unescaped; unset: nowhere. */
str_t page_target(world_t *w, str_t page);
/** A parameter of a URL's query, decoded; unset: absent. */
str_t url_parameter(world_t *w, str_t url, const char *name);
/** The login form of `page`, filled in. */
str_t login_form(world_t *w, str_t page, const char *name, const char *password);
answer_t browser_login(browser_t *b, str_t page, const char *name, const char *password);
/** Signs W_USER in, at the login page alone. */
void browser_sign_in(browser_t *b);
/** /authorize of a client, in good order, with more parameters behind it ("" or "&..."). */
str_t authorize_target(world_t *w, const char *client, const char *more);
/** The form of a consent page with a decision. */
str_t decision_form(world_t *w, str_t page, const char *decision);
/** From /authorize over login, where it is asked for, to the consent page. */
str_t browser_to_consent(browser_t *b, const char *client, const char *more);
/** And over it, where it is shown: the code. */
str_t browser_walk(browser_t *b, const char *client, const char *more);

str_t code_form(world_t *w, const char *client, str_t code);
str_t refresh_form(world_t *w, const char *client, str_t token);
typedef struct {
    str_t access, refresh, scope; /* unset: none */
} tokens_t;
tokens_t answer_tokens(world_t *w, const answer_t *r);
/** A walk of W_PUBLIC and the redemption of its code. */
tokens_t world_grant(world_t *w);

/** The whole trail. */
str_t trail_text(world_t *w);
/** How many of its lines are of this event and decision ("allow", "deny"), and of this reason
 *  (NULL: any). */
size_t trail_count(world_t *w, const char *event, const char *decision, const char *reason);
/** The last line. */
const json_t *trail_last(world_t *w);
/** From now on nothing can be added to it, or can again. */
void trail_break(world_t *w, bool broken);

/** Sends `request` with ever larger memory until its status is `want`. Every answer before must be
 *  500 or 503, and there must be one. */
void world_starve(world_t *w, str_t request, int want);

#endif
