/* The first account, by the link that the server printed at its start. */
#include "identity/setup.h"

#include "as/browser.h"
#include "as/endpoints.h"
#include "as/page.h"
#include "identity/password.h"
#include "identity/username.h"
#include "oauth/acr.h"
#include "oauth/handle.h"
#include "oauth/parameters.h"
#include "web/login.h"

typedef struct {
    as_browser_t browser;
    form_t form;
    str_t token; /* of the link */
    str_t typed, name, password;
    const ask_t *users;            /* how many accounts there are */
    identity_password_cost_t cost; /* a copy: the job may outlive its worker */
    identity_password_hash_t hash;
    rc_t hash_rc;
} setup_t;

_Static_assert((int)WEB_PASSWORD_CHARS_MIN == (int)IDENTITY_PASSWORD_CHARS_MIN,
               "the page says how long");

static const effects_t NONE = {.n = 0};

static void note(as_flow_t *f, const effects_t *effects, bool allowed, str_t reason)
{
    const audit_event_t event = {
        .kind = AUDIT_USER_CREATED,
        .allowed = allowed,
        .reason = reason,
        .detail = STR("by the set-up link"),
    };
    as_flow_take(f, effects, &event);
}

static rc_t show(as_flow_t *f, int status, str_t problem, bool of_username)
{
    setup_t *own = f->own;
    bool is_new;
    web_setup_t view = {
        .token = own->token,
        .username = own->typed,
        .problem = problem,
        .problem_of_username = of_username,
    };
    TRY(as_browser_bind(f, &own->browser, &is_new));
    TRY(as_browser_token(f, &own->browser, IDENTITY_CSRF_SETUP, own->token, &view.csrf));
    buf_t page = as_page_new(f->a);
    web_page_setup(&page, &view);
    TRY(as_page_answer(f, status, &page));
    return is_new ? as_browser_set(f, IDENTITY_COOKIE_BROWSER, own->browser.browser_handle) : RC_OK;
}

/* What the link is worth now. An account that exists closes it, whoever made it. */
static identity_setup_verdict_t judge(const as_flow_t *f)
{
    const setup_t *own = f->own;
    if (own->users->count > 0)
        return IDENTITY_SETUP_CLOSED;
    return identity_setup_judge(f->snapshot->derive_key, own->token, f->now);
}

static rc_t refuse(as_flow_t *f, identity_setup_verdict_t verdict)
{
    static const struct {
        str_t reason, sentence;
    } REFUSALS[] = {
        [IDENTITY_SETUP_CLOSED] = {STR_INIT("setup_closed"),
                                   STR_INIT("The first account exists already. Sign in with it.")},
        [IDENTITY_SETUP_EXPIRED] = {STR_INIT("setup_expired"),
                                    STR_INIT("This link has expired. Start the server again for a "
                                             "new one.")},
        [IDENTITY_SETUP_WRONG] = {STR_INIT("setup_wrong"),
                                  STR_INIT("This is not the link that the server printed at its "
                                           "start.")},
    };
    const web_error_t view = {.status = 403, .sentence = REFUSALS[verdict].sentence};
    note(f, &NONE, false, REFUSALS[verdict].reason);
    return as_page_error(f, &view);
}

static rc_t show_get(as_flow_t *f)
{
    identity_setup_verdict_t verdict = judge(f);
    return verdict == IDENTITY_SETUP_FINE ? show(f, 200, STR_UNSET, false) : refuse(f, verdict);
}

static void step_get(as_flow_t *f)
{
    as_flow_settle(f, show_get(f));
}

static rc_t make_user(as_flow_t *f, user_t **out)
{
    setup_t *own = f->own;
    user_t *user = *out = ARENA_NEW(f->a, user_t);
    if (!user)
        return RC_MEMORY;
    *user = (user_t){
        .name = own->name,
        .password = identity_password_hash_text(&own->hash),
        .admin = true,
        .created_at = f->now,
        .password_changed_at = f->now,
    };
    return oauth_handle_new(f->a, &f->w->as->random, OAUTH_HANDLE_FAMILY, &user->id);
}

/* The account, and a session for who made it. Somebody else may be faster. */
static rc_t create(as_flow_t *f)
{
    user_t *user;
    str_t handle;
    effects_t effects = {.n = 0};
    const as_t *as = f->w->as;
    if (f->rounds > 0)
        return refuse(f, IDENTITY_SETUP_CLOSED);
    TRY(make_user(f, &user));
    effects_add(&effects, EFFECT_USER_INSERT_FIRST, f->now)->u.user = user;
    const identity_session_login_t login = {
        .random = &as->random,
        .times = as->session_times,
        .user_id = user->id,
        .acr = oauth_acr_value(OAUTH_ACR_PASSWORD),
        .now = f->now,
    };
    TRY(identity_session_begin(f->a, &login, &effects, NULL, &handle));
    note(f, &effects, true, STR("allowed"));
    f->event.user = user->id;
    as_page_see_other(f, STR(WEB_PATH_HOME));
    return as_browser_set(f, IDENTITY_COOKIE_SESSION, handle);
}

static void step_create(as_flow_t *f)
{
    as_flow_settle(f, create(f));
}

static void hash(void *arg)
{
    as_flow_t *f = arg;
    setup_t *own = f->own;
    own->hash_rc = identity_password_hash(&own->cost, secret_of(own->password), &own->hash);
    secret_wipe((void *)(uintptr_t)own->password.p, own->password.n);
}

static void hashed(void *arg)
{
    as_flow_t *f = arg;
    const setup_t *own = f->own;
    if (own->hash_rc != RC_OK)
        as_flow_fail(f, own->hash_rc);
    else
        as_flow_gather(f, step_create);
}

/* What is wrong with the form, for the person; unset: nothing. */
static rc_t find_problem(as_flow_t *f, str_t *problem, bool *of_username)
{
    setup_t *own = f->own;
    str_t again;
    *problem = STR_UNSET;
    rc_t rc = identity_username_normalize(f->a, own->typed, &own->name);
    *of_username = rc == RC_MALFORMED;
    if (*of_username) {
        *problem = STR("Take letters, digits and . _ - + @ for the name, beginning with a letter "
                       "or digit.");
        return RC_OK;
    }
    TRY(rc);
    form_get(&own->form, STR(WEB_FIELD_PASSWORD_AGAIN), &again);
    identity_password_fault_t fault = identity_password_check(secret_of(own->password), own->name);
    if (fault != IDENTITY_PASSWORD_FINE)
        *problem = identity_password_fault_text(fault);
    else if (!str_eq(own->password, again))
        *problem = STR("The two passwords differ. Type the same one twice.");
    return RC_OK;
}

static rc_t begin(as_flow_t *f, bool *go_on)
{
    str_t problem;
    bool of_username;
    identity_setup_verdict_t verdict = judge(f);
    *go_on = false;
    if (verdict != IDENTITY_SETUP_FINE)
        return refuse(f, verdict);
    TRY(find_problem(f, &problem, &of_username));
    *go_on = !str_is_set(problem);
    return *go_on ? RC_OK : show(f, 400, problem, of_username);
}

static void step_post(as_flow_t *f)
{
    bool go_on;
    setup_t *own = f->own;
    rc_t rc = begin(f, &go_on);
    own->cost = f->w->as->password_cost;
    if (rc == RC_OK && go_on)
        rc = http_pool_run(f->w->as->pool, f->w->post, hash, hashed, f);
    if (rc != RC_OK)
        as_flow_fail(f, rc);
    else if (!go_on)
        as_flow_finish(f);
}

static str_t field(const form_t *form, str_t name)
{
    str_t value;
    form_get(form, name, &value);
    return str_is_set(value) ? value : STR("");
}

/* Reads the query or the body, and asks whether there is an account. */
static rc_t read(as_flow_t *f)
{
    setup_t *own = f->own;
    oauth_reason_t reason;
    TRY(oauth_parameters_read(f->a, as_flow_parameters(f), &own->form, &reason));
    own->token = field(&own->form, STR(WEB_FIELD_TOKEN));
    own->typed = field(&own->form, STR(WEB_FIELD_USERNAME));
    own->password = field(&own->form, STR(WEB_FIELD_PASSWORD));
    own->browser = as_browser_read(f);
    own->users = as_flow_ask(f, ASK_ANY_USER);
    return RC_OK;
}

void as_setup_get(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(setup_t), read);
    if (f)
        as_flow_gather(f, step_get);
}

static bool is_ours(const as_flow_t *f)
{
    const setup_t *own = f->own;
    return as_browser_fits(f, &own->browser, IDENTITY_CSRF_SETUP, own->token,
                           field(&own->form, STR(WEB_FIELD_CSRF)));
}

void as_setup_post(http_exchange_t *x)
{
    as_flow_t *f = as_flow_read(x, sizeof(setup_t), read);
    if (f && is_ours(f))
        as_flow_gather(f, step_post);
    else if (f)
        as_page_refuse_form(f, AUDIT_USER_CREATED);
}
