/* What the trail says, and requests that run out of memory. */
#include "as/as_test_browser.h"

#include "core/limits.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

str_t trail_text(world_t *w)
{
    buf_t b = buf_new(w->a, 64 << 20);
    char block[65536];
    str_t out;
    FILE *f = fopen(arena_cstr(w->a, w->trail), "r");
    assert_non_null(f);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        buf_put(&b, str_of(block, n));
    fclose(f);
    assert_ok(buf_done(&b, &out));
    return out;
}

static bool line_fits(str_t line, const char *name, const char *value)
{
    char member[96];
    snprintf(member, sizeof member, "\"%s\":\"%s\"", name, value);
    return str_contains(line, str_c(member));
}

size_t trail_count(world_t *w, const char *event, const char *decision, const char *reason)
{
    str_t rest = trail_text(w), line;
    size_t n = 0;
    while (str_split(&rest, '\n', &line))
        n += line_fits(line, "event", event) && line_fits(line, "decision", decision) &&
             (!reason || line_fits(line, "reason", reason));
    return n;
}

const json_t *trail_last(world_t *w)
{
    const json_t *json;
    str_t rest = trail_text(w), line, last = STR("{}");
    while (str_split(&rest, '\n', &line))
        last = line.n > 0 ? line : last;
    assert_ok(json_parse(w->a, last, NULL, &json));
    return json;
}

/* No file may grow beyond what the trail has now. */
void trail_break(world_t *w, bool broken)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = broken ? trail_text(w).n : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Memory that ends. The application is the world's but for its guard, which first eats what the
 * request may not have. */

typedef struct {
    const http_app_t *app;
    size_t left;
} diet_t;

static bool eat(http_exchange_t *x)
{
    diet_t *diet = x->app;
    size_t used = arena_used(x->arena);
    if (used + diet->left < LIMIT_REQUEST_ARENA_BYTES &&
        !arena_alloc(x->arena, LIMIT_REQUEST_ARENA_BYTES - used - diet->left))
        fail_msg("the request has eaten more");
    return diet->app->guard(x);
}

void world_starve(world_t *w, str_t request, int want)
{
    enum { STEP = 400 };
    diet_t diet = {&w->as->app, 0};
    http_app_t app = w->as->app;
    size_t failures = 0;
    app.guard = eat;
    app.ctx = &diet;
    for (; diet.left < LIMIT_REQUEST_ARENA_BYTES; diet.left += STEP) {
        http_direct_t *d = world_open(w, &app);
        http_direct_send(d, request);
        answer_t r = world_land(w, d);
        if (r.status == want)
            break;
        if (r.status != 500)
            assert_status(r, 503);
        failures++;
    }
    assert_true(diet.left < LIMIT_REQUEST_ARENA_BYTES);
    assert_true(failures > 0);
}
