/* One request of an agent as libcurl sees it. */
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/ports.h"
#include "core/secret.h"
#include "http/agent_call.h"
#include "http/agent_request.h"

/* Seconds without traffic after which the system asks whether the peer is still there, so that a
 * stream which says nothing is not kept for one that is gone; and between the questions. */
enum { KEEPALIVE_IDLE_S = 30, KEEPALIVE_EVERY_S = 10 };

static int64_t mono_ms(void)
{
    return clock_micros() / 1000;
}

static void bar(http_agent_call_t *c, const http_addr_t *a)
{
    char text[HTTP_ADDR_TEXT];
    c->is_barred = true;
    snprintf(c->why, sizeof c->why,
             "the host has the address %" PRIstr ", which this request may not go to",
             STR_ARG(http_addr_text(a, text)));
}

/* What is judged is what is connected to, so that a name cannot mean one address here and another
 * one to the socket. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    http_agent_call_t *c = ctx;
    const void *name = &to->addr;
    http_addr_t a = {0};
    if (to->family == AF_INET)
        a = http_addr_from_bytes((const void *)&((const struct sockaddr_in *)name)->sin_addr, 4);
    if (to->family == AF_INET6)
        a = http_addr_from_bytes((const void *)&((const struct sockaddr_in6 *)name)->sin6_addr, 16);
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!c->is_proxied && !http_reach_has(c->reach, &a)) {
        bar(c, &a);
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Before anything is sent, on connections that are used again too: they may have been opened for a
 * request of a wider reach. libcurl sends a request once more when a connection that it uses again
 * ends without an answer; the server may have done what was asked for by then. */
static int before_sending(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
    http_agent_call_t *c = ctx;
    http_addr_t a;
    if (c->was_sent && !c->is_repeatable) {
        http_call_fail(c, HTTP_AGENT_BROKEN, "the connection ended before an answer came");
        return CURL_PREREQFUNC_ABORT;
    }
    c->was_sent = true;
    if (c->is_proxied)
        return CURL_PREREQFUNC_OK;
    if (http_addr_parse(str_c(peer), &a) == RC_OK && http_reach_has(c->reach, &a))
        return CURL_PREREQFUNC_OK;
    http_call_fail(c, HTTP_AGENT_OUT_OF_REACH,
                   "the address is one that this request may not go to");
    return CURL_PREREQFUNC_ABORT;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    return http_call_line(ctx, str_of(p, size * n)) ? size * n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    http_agent_call_t *c = ctx;
    n *= size;
    if (n > c->max_body - c->body_bytes) {
        http_call_fail(c, HTTP_AGENT_TOO_LONG, "the answer is too long");
        return n + 1;
    }
    if (n > 0 && !c->events.data(c->events.ctx, str_of(p, n))) {
        http_call_pause(c, mono_ms());
        return CURL_WRITEFUNC_PAUSE;
    }
    c->body_bytes += n;
    return n;
}

/* Sets one option; the first failure stays. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (curl_easy_setopt(c->easy, (option), (value)) != CURLE_OK)                              \
            rc = RC_IO;                                                                            \
    } while (0)

/* HTTP/1.1 also where HTTP/2 is to be had: in libcurl 7.88 a connection of HTTP/2 fails after some
 * thousand requests to servers that count its stray frames, and a call that is paused may hold up
 * others. */
static rc_t set_guards(http_agent_call_t *c)
{
    rc_t rc = RC_OK;
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE); /* fields are not for a proxy */
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_HTTP09_ALLOWED, 0L);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* nobody waits for a look-up that was given up */
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_EVERY_S);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, c);
    SET(CURLOPT_PREREQFUNCTION, before_sending);
    SET(CURLOPT_PREREQDATA, c);
    return rc;
}

/* Verification itself cannot be switched off. */
static rc_t set_trust(http_agent_call_t *c, const http_agent_settings_t *settings)
{
    rc_t rc = RC_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    if (settings->ca_file) {
        SET(CURLOPT_CAINFO, settings->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* in place of the system's, not beside them */
    }
    return rc;
}

static rc_t set_events(http_agent_call_t *c, const http_agent_settings_t *settings)
{
    rc_t rc = RC_OK;
    SET(CURLOPT_PRIVATE, c);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, c);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, c);
    SET(CURLOPT_ERRORBUFFER, c->error);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_ms);
    SET(CURLOPT_USERAGENT, settings->user_agent);
    return rc;
}

static rc_t set_target(http_agent_call_t *c, const http_agent_settings_t *settings, const url_t *u)
{
    rc_t rc = RC_OK;
    size_t n = str_is_set(u->fragment) ? (size_t)(u->fragment.p - u->text.p) - 1 : u->text.n;
    str_t proxy = http_proxy_for(&settings->proxies, u);
    c->is_proxied = str_is_set(proxy);
    char *via = arena_cstr(c->arena, c->is_proxied ? proxy : STR(""));
    char *url = arena_cstr(c->arena, str_first(u->text, n));
    if (!via || !url)
        return RC_MEMORY;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_PROXY, via); /* an empty one: none, whatever the environment says */
    SET(CURLOPT_NOPROXY, "");
    return rc;
}

static rc_t set_method(http_agent_call_t *c, const http_agent_request_t *r)
{
    rc_t rc = RC_OK;
    bool has_body = str_is_set(r->body) || str_eq(r->method, STR("POST"));
    char *method = arena_cstr(c->arena, r->method);
    secret_t body = secret_dup(c->arena, str_is_set(r->body) ? r->body : STR(""));
    if (!method || !str_is_set(body.hidden))
        return RC_MEMORY;
    if (has_body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.hidden.n);
        SET(CURLOPT_POSTFIELDS, body.hidden.p);
    } else if (str_eq(r->method, STR("HEAD"))) {
        SET(CURLOPT_NOBODY, 1L);
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
    return rc;
}

static bool add_line(http_agent_call_t *c, const char *line)
{
    struct curl_slist *longer = line ? curl_slist_append(c->lines, line) : NULL;
    if (longer)
        c->lines = longer;
    return longer != NULL;
}

/* A field with an empty value is "Name;" to libcurl, one that it must not send "Name:". */
static bool add_field(http_agent_call_t *c, const http_header_t *h)
{
    if (!str_is_set(h->value))
        return true;
    if (str_trim(h->value, " \t").n == 0)
        return add_line(
            c, arena_cstr(c->arena, arena_printf(c->arena, "%" PRIstr ";", STR_ARG(h->name))));
    char *line = secret_alloc(c->arena, h->name.n + h->value.n + sizeof ": ");
    if (!line)
        return false;
    memcpy(line, h->name.p, h->name.n);
    memcpy(line + h->name.n, ": ", 2);
    memcpy(line + h->name.n + 2, h->value.p, h->value.n);
    return add_line(c, line);
}

static rc_t set_fields(http_agent_call_t *c, const http_agent_request_t *r)
{
    rc_t rc = RC_OK;
    bool is_good = add_line(c, "Expect:");
    if (http_headers_count(r->headers, STR("Content-Type")) == 0)
        is_good = is_good && add_line(c, "Content-Type:");
    for (size_t i = 0; is_good && i < r->headers.n; i++)
        is_good = add_field(c, &r->headers.v[i]);
    if (!is_good)
        return RC_MEMORY;
    SET(CURLOPT_HTTPHEADER, (struct curl_slist *)c->lines);
    return rc;
}

static rc_t make(http_agent_call_t *c, const http_agent_settings_t *settings,
                 const http_agent_request_t *r)
{
    url_t u;
    str_t why;
    c->arena = arena_new(SIZE_MAX);
    if (!c->arena)
        return RC_MEMORY;
    c->head = buf_new(c->arena, LIMIT_HTTP_HEAD_BYTES);
    TRY(http_agent_check(r, &u, &c->fault, &why));
    snprintf(c->why, sizeof c->why, "%" PRIstr, STR_ARG(why));
    if (c->fault != HTTP_AGENT_DONE)
        return RC_OK;
    c->easy = curl_easy_init();
    if (!c->easy)
        return RC_MEMORY;
    TRY(set_guards(c));
    TRY(set_trust(c, settings));
    TRY(set_events(c, settings));
    TRY(set_target(c, settings, &u));
    TRY(set_method(c, r));
    return set_fields(c, r);
}

static bool is_repeatable(str_t method)
{
    static const str_t ONCE[] = {STR_INIT("GET"), STR_INIT("HEAD"), STR_INIT("OPTIONS"),
                                 STR_INIT("PUT"), STR_INIT("DELETE")};
    return str_list_has((str_list_t){ONCE, sizeof ONCE / sizeof *ONCE}, method);
}

rc_t http_call_new(const http_agent_settings_t *settings, const http_agent_request_t *r,
                   http_agent_events_t events, http_agent_call_t **out)
{
    http_agent_call_t *c = calloc(1, sizeof *c);
    if (!c)
        return RC_MEMORY;
    c->events = events;
    c->reach = r->reach;
    c->max_body = r->max_body ? r->max_body : LIMIT_HTTP_FETCH_BYTES;
    c->head_ms = r->head_ms ? r->head_ms : LIMIT_HTTP_AGENT_MS;
    c->total_ms = r->total_ms ? r->total_ms : -1;
    c->is_repeatable = is_repeatable(r->method);
    rc_t rc = make(c, settings, r);
    if (rc == RC_OK)
        *out = c;
    else
        http_call_free(c);
    return rc;
}

void http_call_free(http_agent_call_t *c)
{
    curl_easy_cleanup(c->easy);
    for (struct curl_slist *l = c->lines; l; l = l->next)
        secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(c->lines);
    arena_free(c->arena);
    free(c);
}

static http_agent_end_t end_of(const http_agent_call_t *c, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_AGENT_DONE;
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:
        return HTTP_AGENT_BAD_URL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_AGENT_NO_NAME;
    case CURLE_COULDNT_CONNECT:
        return c->is_barred ? HTTP_AGENT_OUT_OF_REACH : HTTP_AGENT_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_AGENT_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_ENGINE_INITFAILED:
        return HTTP_AGENT_TLS;
    default:
        return c->was_sent ? HTTP_AGENT_BROKEN : HTTP_AGENT_REFUSED;
    }
}

/* What libcurl says may hold bytes of the server: a name in a certificate, a status line. */
static void make_plain(char *text)
{
    for (char *p = text; *p; p++) {
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    }
}

/* A line of a head that is longer than libcurl's buffer ends like a lack of memory there, in newer
 * ones with a result of its own. */
static bool is_long_line(const http_agent_call_t *c, int code)
{
    enum { TOO_LARGE = 100 };
    return c->was_sent && !c->has_head && (code == CURLE_OUT_OF_MEMORY || code == TOO_LARGE);
}

http_agent_end_t http_call_end(http_agent_call_t *c, int code)
{
    if (is_long_line(c, code))
        http_call_fail(c, HTTP_AGENT_TOO_LONG, "the head of the answer is too long");
    if (c->fault != HTTP_AGENT_DONE)
        return c->fault;
    http_agent_end_t end = end_of(c, (CURLcode)code);
    if (end == HTTP_AGENT_OUT_OF_REACH)
        return end; /* c->why tells which address */
    const char *said = c->error[0] ? c->error : curl_easy_strerror((CURLcode)code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL) /* HTTP/0.9, which any bytes are */
        said = "the answer is no HTTP";
    snprintf(c->why, sizeof c->why, "%s", end == HTTP_AGENT_DONE ? "" : said);
    make_plain(c->why);
    return end;
}
