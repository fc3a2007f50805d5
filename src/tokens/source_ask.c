/* Requests of a source: only to URLs that may be used, and no further than the server's own reach.
 */
#include "client/answer.h"
#include "tokens/source_object.h"

client_reason_t source_ask(source_round_t *r, http_agent_request_t *q, http_answer_t *out)
{
    const tokens_config_t *c = &r->s->config;
    GO(source_running(r));
    client_reason_t bad = client_url_check(q->url, c->plain_ok);
    if (bad != CLIENT_FINE)
        return source_fail(r, bad, q->url);
    q->reach = client_url_reach(c->url, c->reach);
    *out = (http_answer_t){.end = HTTP_AGENT_BROKEN};
    GO(source_rc(r, c->http.ask(c->http.ctx, r->a, q, out)));
    return source_running(r);
}

client_reason_t source_reached(source_round_t *r, str_t url, const http_answer_t *answer)
{
    if (answer->end == HTTP_AGENT_DONE)
        return CLIENT_FINE;
    if (answer->end == HTTP_AGENT_OUT_OF_REACH)
        return source_fail(r, CLIENT_URL_OUT_OF_REACH, url);
    r->transient = true;
    str_t name = http_agent_end_name(answer->end);
    str_t detail =
        answer->why.n > 0
            ? arena_printf(r->a, "%" PRIstr ": %" PRIstr, STR_ARG(url), STR_ARG(answer->why))
            : arena_printf(r->a, "%" PRIstr ": %" PRIstr, STR_ARG(url), STR_ARG(name));
    return source_fail(r, CLIENT_UNREACHABLE, detail);
}

client_reason_t source_post_form(source_round_t *r, const client_token_request_t *q, str_t proof,
                                 http_answer_t *out)
{
    http_header_t fields[4] = {{STR("Content-Type"), STR("application/x-www-form-urlencoded")},
                               {STR("Accept"), STR("application/json")}};
    size_t n = 2;
    if (str_is_set(q->authorization))
        fields[n++] = (http_header_t){STR("Authorization"), q->authorization};
    if (str_is_set(proof))
        fields[n++] = (http_header_t){STR("DPoP"), proof};
    http_agent_request_t request = {.method = STR("POST"),
                                    .url = q->url,
                                    .headers = {fields, n},
                                    .body = q->form,
                                    .max_body = SOURCE_ANSWER_BYTES};
    GO(source_ask(r, &request, out));
    return source_reached(r, q->url, out);
}

bool source_is_error(arena_t *a, const http_answer_t *answer, str_t code)
{
    client_answer_t said;
    return client_answer_read(a, answer->status, answer->body, &said) == RC_OK &&
           str_eq(said.error, code);
}
