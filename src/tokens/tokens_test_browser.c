/* The person's browser of tokens_test_world.h: it opens the page, and follows the redirect. */
#include "tokens/tokens_test_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/url.h"

enum { BROWSER_ARENA = 1 << 20, PAGE_BYTES = 8192 };

/* GET of the callback, over a socket of its own. */
static void visit(world_t *w, uint16_t port, const char *target)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[PAGE_BYTES];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", target,
                     (unsigned)port);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        write(fd, text, (size_t)n) != n)
        world_problem(w, "the callback is not there");
    while (fd >= 0 && read(fd, text, sizeof text) > 0)
        ;
    close(fd);
}

static void redirect(world_t *w, arena_t *a, const world_code_t *code, str_t state)
{
    url_t u;
    if (url_parse(str_c(code->redirect), &u) != RC_OK || !url_host_is_loopback(u.host)) {
        world_problem(w, "the redirect URI is not on loopback");
        return;
    }
    const char *iss = w->iss_wrong ? "https%3A%2F%2Fevil.test" : code->issuer;
    str_t target = w->declines
                       ? arena_printf(a, "%" PRIstr "?error=access_denied&state=%" PRIstr "&iss=%s",
                                      STR_ARG(u.path), STR_ARG(state), iss)
                       : arena_printf(a, "%" PRIstr "?code=%s&state=%" PRIstr "&iss=%s",
                                      STR_ARG(u.path), code->code, STR_ARG(state), iss);
    visit(w, u.port_number, target.p);
}

void world_visit(world_t *w, str_t url, const char *query)
{
    url_t u, to;
    form_t f;
    arena_t *a = arena_new(BROWSER_ARENA);
    if (url_parse(url, &u) == RC_OK && form_parse(a, u.query, &f) == RC_OK &&
        url_parse(world_field(&f, "redirect_uri"), &to) == RC_OK)
        visit(w, to.port_number, arena_printf(a, "%" PRIstr "?%s", STR_ARG(to.path), query).p);
    arena_free(a);
}

static void refuse_client(world_t *w, arena_t *a, str_t url, const char *issuer, str_t state)
{
    world_visit(w, url,
                arena_printf(a, "error=unauthorized_client&state=%" PRIstr "&iss=%s",
                             STR_ARG(state), issuer)
                    .p);
}

/* The request of the page: in the query, or pushed before. */
static world_code_t *requested(world_t *w, const char *issuer, const form_t *f, str_t *state)
{
    str_t uri = world_field(f, "request_uri");
    *state = world_field(f, "state");
    if (!str_is_set(uri))
        return world_authorize(w, issuer, f);
    *state = str_c(w->said);
    return &w->codes[w->n_codes - 1];
}

bool world_browser(void *ctx, str_t url)
{
    world_t *w = ctx;
    url_t u;
    form_t f;
    str_t state = STR_UNSET;
    if (w->nobody)
        return false;
    arena_t *a = arena_new(BROWSER_ARENA);
    const char *issuer = str_starts(url, STR(WORLD_OTHER))    ? WORLD_OTHER
                         : str_starts(url, STR(WORLD_ORIGIN)) ? WORLD_ORIGIN
                                                              : WORLD_ISSUER;
    world_code_t *code = NULL;
    pthread_mutex_lock(&w->lock);
    w->opened++;
    if (url_parse(url, &u) == RC_OK && form_parse(a, u.query, &f) == RC_OK)
        code = requested(w, issuer, &f, &state);
    pthread_mutex_unlock(&w->lock);
    if (!code && w->tells_of_clients)
        refuse_client(w, a, url, issuer, state);
    if (code && !w->silent)
        redirect(w, a, code, state);
    arena_free(a);
    return true;
}
