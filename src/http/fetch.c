#include "http/fetch.h"

#include "core/host_list.h"
#include "http/addr.h"

str_t http_fetch_verdict_name(http_fetch_verdict_t v)
{
    static const str_t NAMES[] = {
        [HTTP_FETCH_OK] = STR_INIT("ok"),
        [HTTP_FETCH_BAD_URL] = STR_INIT("bad_url"),
        [HTTP_FETCH_SPECIAL] = STR_INIT("special_address"),
        [HTTP_FETCH_REDIRECT] = STR_INIT("redirect"),
        [HTTP_FETCH_TOO_LONG] = STR_INIT("too_long"),
        [HTTP_FETCH_TIMEOUT] = STR_INIT("timeout"),
        [HTTP_FETCH_TLS] = STR_INIT("tls"),
        [HTTP_FETCH_FAILED] = STR_INIT("failed"),
    };
    return NAMES[v];
}

/* An address literal is judged before anything is sent. */
static http_fetch_verdict_t check_literal(str_t host)
{
    http_addr_t address;
    if (http_addr_parse(str_trim(host, "[]"), &address) != RC_OK)
        return HTTP_FETCH_OK;
    return http_addr_is_special(&address) ? HTTP_FETCH_SPECIAL : HTTP_FETCH_OK;
}

http_fetch_verdict_t http_fetch_check_url(str_t url, str_list_t private_hosts)
{
    url_t u;
    if (url_parse(url, &u) != RC_OK || !url_is_http(&u))
        return HTTP_FETCH_BAD_URL;
    if (str_is_set(u.userinfo) || str_is_set(u.fragment))
        return HTTP_FETCH_BAD_URL;
    bool is_private = host_list_has(private_hosts, &u);
    if (!url_is_https(&u) && !(is_private && url_host_is_loopback(u.host)))
        return HTTP_FETCH_BAD_URL;
    return is_private ? HTTP_FETCH_OK : check_literal(u.host);
}

static void keep_text(str_t text, char *out, size_t max)
{
    size_t n = text.n < max ? text.n : max - 1;
    if (n > 0)
        memcpy(out, text.p, n);
    out[n] = '\0';
}

static rc_t fake_get(void *ctx, arena_t *a, const http_fetch_request_t *req,
                     http_fetch_result_t *out)
{
    http_fetch_fake_t *fake = ctx;
    *out = (http_fetch_result_t){.verdict = HTTP_FETCH_FAILED};
    fake->calls++;
    if (str_is_set(req->form)) {
        keep_text(req->form, fake->form, sizeof fake->form);
        keep_text(req->authorization, fake->authorization, sizeof fake->authorization);
    }
    for (size_t i = 0; i < fake->n; i++) {
        const http_fetch_fake_row_t *row = &fake->rows[i];
        if (!str_eq(str_c(row->url), req->url))
            continue;
        out->verdict = row->verdict;
        if (row->verdict != HTTP_FETCH_OK)
            return RC_OK;
        out->status = row->status;
        out->content_type = str_c(row->content_type);
        out->cache_control = str_c(row->cache_control);
        out->body = row->body ? str_c(row->body) : STR("");
        return RC_OK;
    }
    return RC_OK;
}

http_fetch_port_t http_fetch_fake(http_fetch_fake_t *state)
{
    return (http_fetch_port_t){fake_get, state};
}
