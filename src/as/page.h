/* Pages as answers: the builder, and the headers that every page bears. */
#ifndef AS_PAGE_H
#define AS_PAGE_H

#include "as/flow.h"
#include "web/error.h"

/** A builder for one page. */
buf_t as_page_new(arena_t *a);
/** Makes the page the flow's answer, with the headers of every page; more may be added behind.
 *  The builder's failure. */
rc_t as_page_answer(as_flow_t *f, int status, const buf_t *page) MUST_USE;
/** The same with an error page; `v` without request_id. */
rc_t as_page_error(as_flow_t *f, const web_error_t *v) MUST_USE;
/** Answers a form that did not come from our page: 403, an event of `kind`, and the flow's end. */
void as_page_refuse_form(as_flow_t *f, audit_kind_t kind);
/** The same for one that was sent from another site, before there is a flow: answers `x`. */
void as_page_refuse_origin(http_exchange_t *x, audit_kind_t kind);
/** 303 to `location`: an own path, or a redirect URI. */
void as_page_see_other(as_flow_t *f, str_t location);
/** For http_app_t: an error without a flow. */
void as_page_error_hook(http_exchange_t *x, int status, str_t sentence);
/** 429 or 503 with Retry-After in seconds: a page on page routes, else http_reply_retry. */
void as_page_retry(http_exchange_t *x, int status, uint32_t after_s, str_t sentence);

#endif
