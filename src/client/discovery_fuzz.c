/* A whole discovery. Lines: the URL, the challenge's resource_metadata (empty: none), then one
 * answer each: status in three digits, content type, a space, body. A status that is no number is a
 * connection that did not come about. */
#include "client/discovery.h"

#include <stdlib.h>

#include "client/url_rule.h"
#include "core/num.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static str_t take_line(str_t *rest)
{
    str_t line = STR("");
    (void)str_split(rest, '\n', &line);
    return line;
}

static rc_t answer(client_discovery_t *d, str_t line)
{
    uint64_t status = 0;
    str_t digits = str_first(line, 3), rest = str_skip(line, 3);
    bool came = num_u64(digits, 999, &status);
    size_t space = str_find(rest, ' ', 0);
    http_header_t type = {STR("Content-Type"), str_first(rest, space)};
    http_answer_t a = {.end = came ? HTTP_AGENT_DONE : HTTP_AGENT_REFUSED,
                       .status = (int)status,
                       .headers = {&type, space > 0 ? 1 : 0},
                       .body = str_skip(rest, space + 1)};
    return client_discovery_took(d, &a);
}

static void check_end(const client_discovery_t *d, bool failed)
{
    must(failed == (d->failure.reason != CLIENT_FINE));
    must(!failed || str_is_set(d->failure.detail));
    if (failed)
        return;
    must(d->has_resource != d->legacy && (!d->guessed || d->legacy));
    must(str_is_set(d->issuer) && str_is_set(d->server.token_endpoint));
    must(!d->has_resource || str_eq(d->server.issuer, d->issuer));
    must(!d->has_resource ||
         client_resource_fits(d->resource.resource, d->want.url, CLIENT_RESOURCE_PREFIX));
    must(!d->legacy || client_url_same_origin(d->issuer, d->want.url));
}

static void run(arena_t *a, const client_discovery_want_t *want, str_t rest)
{
    client_discovery_t d;
    client_discovery_step_t step;
    str_t url;
    size_t steps = 0;
    if (client_discovery_begin(a, want, &d) != RC_OK)
        return;
    while ((step = client_discovery_next(&d, &url)) == CLIENT_LOOK) {
        must(++steps <= 3 * CLIENT_PLACES_MAX);
        must(client_url_check(url, false) == CLIENT_FINE);
        must(client_url_check_reach(url, d.want.reach) == CLIENT_FINE);
        if (answer(&d, take_line(&rest)) != RC_OK)
            return;
    }
    check_end(&d, step == CLIENT_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(16 << 20);
    str_t rest = str_of(data, size);
    client_discovery_want_t want = {.url = take_line(&rest)};
    str_t metadata = take_line(&rest);
    if (!a)
        return 0;
    want.metadata = metadata.n > 0 ? metadata : STR_UNSET;
    run(a, &want, rest);
    arena_free(a);
    return 0;
}
