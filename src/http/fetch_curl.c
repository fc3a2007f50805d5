/* The guarded fetch over libcurl. */
#include <curl/curl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/host_list.h"
#include "core/limits.h"
#include "core/secret.h"
#include "http/addr.h"
#include "http/fetch.h"

enum { HEAD_BYTES = 32768 };

/* One transfer. */
typedef struct {
    CURL *curl;
    arena_t *arena;
    http_fetch_result_t *out;
    buf_t body;
    size_t head_bytes;
    bool is_private; /* the host may have special addresses */
    bool is_plain;   /* http: loopback addresses only */
    bool refused_address, too_long;
    rc_t rc;
} transfer_t;

static bool may_connect(const transfer_t *t, const http_addr_t *a)
{
    if (t->is_plain)
        return t->is_private && http_addr_is_loopback(a);
    return t->is_private || !http_addr_is_special(a);
}

/* libcurl asks here for a socket to an address that is already resolved: what is judged is what is
 * connected to, so that a name cannot mean one address to us and another to the socket. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to)
{
    transfer_t *t = ctx;
    const void *name = &to->addr;
    http_addr_t a = {0};
    if (to->family == AF_INET)
        a = http_addr_from_bytes((const void *)&((const struct sockaddr_in *)name)->sin_addr, 4);
    if (to->family == AF_INET6)
        a = http_addr_from_bytes((const void *)&((const struct sockaddr_in6 *)name)->sin6_addr, 16);
    if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(t, &a)) {
        t->refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    transfer_t *t = ctx;
    buf_put(&t->body, str_of(p, size * n));
    if (t->body.failed == RC_OK)
        return size * n;
    t->too_long = t->body.failed == RC_LIMIT;
    t->rc = t->too_long ? RC_OK : t->body.failed;
    return 0;
}

/* A field that comes again is one list (RFC 9110 section 5.3). */
static void keep_header(arena_t *a, str_t value, str_t *into)
{
    *into = str_is_set(*into)
                ? arena_printf(a, "%" PRIstr ", %" PRIstr, STR_ARG(*into), STR_ARG(value))
                : arena_dup(a, value);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    transfer_t *t = ctx;
    str_t line = str_of(p, size * n);
    t->head_bytes += line.n;
    t->too_long |= t->head_bytes > HEAD_BYTES;
    if (t->too_long)
        return 0;
    const struct {
        str_t name;
        str_t *value;
    } wanted[] = {
        {STR("content-type"), &t->out->content_type},
        {STR("cache-control"), &t->out->cache_control},
        {STR("etag"), &t->out->etag},
        {STR("age"), &t->out->age},
        {STR("date"), &t->out->date},
        {STR("expires"), &t->out->expires},
        {STR("vary"), &t->out->vary},
    };
    size_t colon = str_find(line, ':', 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!str_eq_nocase(str_first(line, colon), wanted[i].name))
            continue;
        keep_header(t->arena, str_trim(str_skip(line, colon + 1), " \t\r\n"), wanted[i].value);
    }
    return line.n;
}

static void init_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Sets one option; the first failure stays. */
#define SET(t, option, value)                                                                      \
    do {                                                                                           \
        if (curl_easy_setopt((t)->curl, (option), (value)) != CURLE_OK)                            \
            (t)->rc = RC_IO;                                                                       \
    } while (0)

static void set_guards(transfer_t *t, const http_fetch_request_t *req, const char *protocol)
{
    long timeout = req->timeout_ms > 0 ? (long)req->timeout_ms : LIMIT_HTTP_FETCH_MS;
    SET(t, CURLOPT_PROTOCOLS_STR, protocol);
    SET(t, CURLOPT_FOLLOWLOCATION, 0L);
    SET(t, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(t, CURLOPT_PROXY, ""); /* not even the one of the environment */
    SET(t, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(t, CURLOPT_FORBID_REUSE, 1L);
    SET(t, CURLOPT_NOSIGNAL, 1L);
    SET(t, CURLOPT_TIMEOUT_MS, timeout);
    SET(t, CURLOPT_CONNECTTIMEOUT_MS, timeout);
    SET(t, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(t, CURLOPT_OPENSOCKETDATA, t);
}

/* Whose certificates count: the system's, or those of the file that SSL_CERT_FILE names, as OpenSSL
 * and the curl tool have it. Verification itself cannot be switched off. */
static void set_trust(transfer_t *t)
{
    const char *file = getenv("SSL_CERT_FILE");
    if (file && *file)
        SET(t, CURLOPT_CAINFO, file);
    SET(t, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(t, CURLOPT_SSL_VERIFYHOST, 2L);
}

/* Copied, so that it lives as long as the transfer; sent at once, not after a "100 Continue". */
static void set_form(transfer_t *t, str_t form)
{
    SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)form.n);
    SET(t, CURLOPT_COPYPOSTFIELDS, form.p);
}

static void set_request(transfer_t *t, const http_fetch_request_t *req, const char *url,
                        struct curl_slist *headers)
{
    SET(t, CURLOPT_URL, url);
    SET(t, CURLOPT_PATH_AS_IS, 1L);
    SET(t, CURLOPT_USERAGENT, "warder");
    SET(t, CURLOPT_HTTPHEADER, headers);
    SET(t, CURLOPT_WRITEFUNCTION, on_body);
    SET(t, CURLOPT_WRITEDATA, t);
    SET(t, CURLOPT_HEADERFUNCTION, on_header);
    SET(t, CURLOPT_HEADERDATA, t);
    if (str_is_set(req->form))
        set_form(t, req->form);
}

/* With NULL for a line that cannot be made, as when there is no memory. */
static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = line ? curl_slist_append(*list, line) : NULL;
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* The lines of one request; they may hold a secret. */
static struct curl_slist *make_lines(arena_t *a, const http_fetch_request_t *req)
{
    struct curl_slist *list = NULL;
    str_t accept = str_is_set(req->accept) ? req->accept : STR("application/json");
    bool good =
        add_line(&list, arena_cstr(a, arena_printf(a, "Accept: %" PRIstr, STR_ARG(accept))));
    if (good && str_is_set(req->form))
        good = add_line(&list, "Content-Type: application/x-www-form-urlencoded") &&
               add_line(&list, "Expect:");
    if (good && str_is_set(req->authorization)) {
        str_t line = arena_printf(a, "Authorization: %" PRIstr, STR_ARG(req->authorization));
        char *c = arena_cstr(a, line);
        good = add_line(&list, c);
        if (c)
            secret_wipe(c, line.n);
        if (str_is_set(line))
            secret_wipe((void *)(uintptr_t)line.p, line.n);
    }
    if (good)
        return list;
    curl_slist_free_all(list);
    return NULL;
}

static void free_lines(struct curl_slist *list)
{
    for (struct curl_slist *l = list; l; l = l->next)
        secret_wipe(l->data, strlen(l->data));
    curl_slist_free_all(list);
}

static http_fetch_verdict_t verdict_of(const transfer_t *t, CURLcode code)
{
    if (t->too_long)
        return HTTP_FETCH_TOO_LONG;
    switch (code) {
    case CURLE_OK:
        return HTTP_FETCH_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FETCH_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        return HTTP_FETCH_TLS;
    default:
        return t->refused_address ? HTTP_FETCH_SPECIAL : HTTP_FETCH_FAILED;
    }
}

static rc_t perform(transfer_t *t)
{
    long status = 0;
    CURLcode code = curl_easy_perform(t->curl);
    if (t->rc != RC_OK)
        return t->rc;
    t->out->verdict = verdict_of(t, code);
    if (t->out->verdict != HTTP_FETCH_OK)
        return RC_OK;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    t->out->status = (int)status;
    if (status >= 300 && status < 400)
        t->out->verdict = HTTP_FETCH_REDIRECT;
    return buf_done(&t->body, &t->out->body);
}

static rc_t run(transfer_t *t, const http_fetch_request_t *req, const char *url)
{
    struct curl_slist *headers = make_lines(t->arena, req);
    t->curl = curl_easy_init();
    t->rc = t->curl && headers ? RC_OK : RC_MEMORY;
    if (t->rc == RC_OK) {
        set_guards(t, req, t->is_plain ? "http" : "https");
        set_trust(t);
        set_request(t, req, url, headers);
    }
    rc_t rc = t->rc == RC_OK ? perform(t) : t->rc;
    curl_easy_cleanup(t->curl);
    free_lines(headers);
    return rc;
}

static rc_t curl_get(void *ctx, arena_t *a, const http_fetch_request_t *req,
                     http_fetch_result_t *out)
{
    /* libcurl's own start-up is not thread-safe; nothing else here is shared. */
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = (http_fetch_result_t){.verdict = http_fetch_check_url(req->url, req->private_hosts)};
    if (out->verdict != HTTP_FETCH_OK)
        return RC_OK;
    pthread_once(&once, init_curl);
    url_t u;
    TRY(url_parse(req->url, &u));
    char *url = arena_cstr(a, req->url);
    if (!url)
        return RC_MEMORY;
    transfer_t t = {
        .arena = a,
        .out = out,
        .body = buf_new(a, req->max_bytes ? req->max_bytes : LIMIT_HTTP_FETCH_BYTES),
        .is_private = host_list_has(req->private_hosts, &u),
        .is_plain = !url_is_https(&u),
    };
    return run(&t, req, url);
}

http_fetch_port_t http_fetch_curl(void)
{
    return (http_fetch_port_t){curl_get, NULL};
}
