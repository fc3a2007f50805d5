/* Any bytes as a URL: the parts put together are the text; the canonical form is a fixed point that
 * keeps every part. */
#include "core/buf.h"
#include "core/limits.h"
#include "core/url.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

static void put_behind(buf_t *b, const char *mark, str_t part)
{
    if (!str_is_set(part))
        return;
    buf_put(b, str_c(mark));
    buf_put(b, part);
}

static str_t together(arena_t *a, const url_t *u)
{
    buf_t b = buf_new(a, 2 * LIMIT_URL_BYTES);
    buf_put(&b, u->scheme);
    buf_char(&b, ':');
    if (str_is_set(u->host)) {
        buf_put(&b, STR("//"));
        if (str_is_set(u->userinfo)) {
            buf_put(&b, u->userinfo);
            buf_char(&b, '@');
        }
        buf_put(&b, u->host);
        put_behind(&b, ":", u->port);
    }
    buf_put(&b, u->path);
    put_behind(&b, "?", u->query);
    put_behind(&b, "#", u->fragment);
    return buf_str(&b);
}

static void check_canonical(arena_t *a, const url_t *u)
{
    str_t once, twice;
    url_t again;
    check(url_canonical(a, u, &once) == RC_OK && once.n <= u->text.n);
    check(url_parse(once, &again) == RC_OK);
    check(url_canonical(a, &again, &twice) == RC_OK && str_eq(once, twice));
    check(str_eq_nocase(u->scheme, again.scheme) && str_eq_nocase(u->host, again.host));
    check(u->port_number == again.port_number && str_eq(u->userinfo, again.userinfo));
    check(str_eq(u->query, again.query) && str_eq(u->fragment, again.fragment));
    check(str_eq(u->path, again.path) || (str_eq(u->path, STR("/")) && again.path.n == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(1 << 20);
    url_t u, again;
    str_t text = str_of(data, size), out;
    if (url_parse(text, &u) == RC_OK) {
        check(str_is_printable_ascii(text) && str_find(text, ' ', 0) == text.n);
        check(str_eq(together(a, &u), text));
        check_canonical(a, &u);
        if (url_origin(a, &u, &out) == RC_OK)
            check(url_parse(out, &again) == RC_OK && again.port_number == u.port_number);
        else
            check(u.host.n == 0);
        if (url_path_decode(a, u.path, &out) == RC_OK)
            check(str_is_utf8(out) && out.n <= u.path.n);
    }
    arena_free(a);
    return 0;
}
