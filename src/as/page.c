#include "as/page.h"

#include "core/limits.h"
#include "web/headers.h"

buf_t as_page_new(arena_t *a)
{
    return buf_new(a, LIMIT_PAGE_BYTES);
}

rc_t as_page_answer(as_flow_t *f, int status, const buf_t *page)
{
    str_t body;
    size_t n;
    TRY(buf_done(page, &body));
    as_flow_answer(f, status, body);
    const web_header_t *headers = web_security_headers(&n);
    for (size_t i = 0; i < n; i++)
        as_flow_header(f, headers[i].name, headers[i].value);
    return RC_OK;
}

rc_t as_page_error(as_flow_t *f, const web_error_t *v)
{
    web_error_t view = *v;
    buf_t page = as_page_new(f->a);
    view.request_id = f->x->request_id;
    web_page_error(&page, &view);
    return as_page_answer(f, v->status, &page);
}

static void refuse(as_flow_t *f, const audit_event_t *event, str_t sentence)
{
    static const effects_t NONE = {.n = 0};
    const web_error_t view = {.status = 403, .sentence = sentence};
    as_flow_take(f, &NONE, event);
    as_flow_settle(f, as_page_error(f, &view));
}

void as_page_refuse_form(as_flow_t *f, audit_kind_t kind)
{
    const audit_event_t event = {
        .kind = kind,
        .reason = STR("form_not_ours"),
        .detail = STR("the form's token does not belong to this browser and page"),
    };
    refuse(f, &event,
           STR("This form is too old, or was not sent from our page in this browser. Go back to "
               "the client and start again."));
}

void as_page_refuse_origin(http_exchange_t *x, audit_kind_t kind)
{
    as_flow_t *f = as_flow_new(x, 0);
    const audit_event_t event = {
        .kind = kind,
        .reason = STR("form_from_elsewhere"),
        .detail = STR("Origin or Sec-Fetch-Site say that another site sent the form"),
    };
    if (f)
        refuse(f, &event, STR("This form was sent from another site."));
}

void as_page_see_other(as_flow_t *f, str_t location)
{
    as_flow_answer(f, 303, STR(""));
    as_flow_header(f, STR("Location"), location);
    as_flow_header(f, STR("Cache-Control"), STR("no-store"));
    as_flow_header(f, STR("Referrer-Policy"), STR("same-origin"));
}

/* An error without a flow; retry_after unset: none. */
static void reply_error(http_exchange_t *x, int status, str_t retry_after, str_t sentence)
{
    http_header_t headers[AS_HEADERS_MAX];
    size_t n;
    str_t body;
    buf_t page = as_page_new(x->arena);
    const web_error_t view = {.status = status, .sentence = sentence, .request_id = x->request_id};
    web_page_error(&page, &view);
    const web_header_t *all = web_security_headers(&n);
    for (size_t i = 0; i < n; i++)
        headers[i] = (http_header_t){all[i].name, all[i].value};
    headers[n++] = (http_header_t){STR("Retry-After"), retry_after};
    if (buf_done(&page, &body) != RC_OK) {
        http_reply(x, 503, HTTP_NO_HEADERS, STR(""));
        return;
    }
    http_reply(x, status, (http_headers_t){headers, n}, body);
}

void as_page_error_hook(http_exchange_t *x, int status, str_t sentence)
{
    reply_error(x, status, STR_UNSET, sentence);
}

void as_page_retry(http_exchange_t *x, int status, uint32_t after_s, str_t sentence)
{
    char digits[16];
    buf_t b = buf_fixed(digits, sizeof digits);
    buf_u64(&b, after_s > 0 ? after_s : 1);
    if (x->route->flags & HTTP_ROUTE_PAGE)
        reply_error(x, status, buf_str(&b), sentence);
    else
        http_reply_retry(x, status, after_s, sentence);
}
