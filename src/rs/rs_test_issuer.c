#include "rs/rs_test_issuer.h"

#include <stdio.h>

static void serve_text(http_exchange_t *x)
{
    const str_t *text = x->route->data;
    http_reply_json(x, 200, *text);
}

void test_issuer_start(test_issuer_t *i, const world_t *w, arena_t *a)
{
    str_t why;
    http_server_config_t c = http_server_defaults();
    i->routes[0] = (http_route_t){.path = STR("/.well-known/oauth-authorization-server"),
                                  .methods = HTTP_M(GET),
                                  .handler = serve_text,
                                  .data = &i->metadata};
    i->routes[1] = (http_route_t){
        .path = STR("/jwks"), .methods = HTTP_M(GET), .handler = serve_text, .data = &i->keys};
    i->app = (http_app_t){.routes = {i->routes, 2}};
    c.app = &i->app;
    assert_int_equal(http_server_new(&c, &i->http, &why), RC_OK);
    snprintf(i->url, sizeof i->url, "http://127.0.0.1:%u", http_server_port(i->http));
    i->metadata = arena_printf(a, "{\"issuer\":\"%s\",\"jwks_uri\":\"%s/jwks\"}", i->url, i->url);
    for (size_t n = 0; n < W_PAGES && w->pages[n].url; n++) {
        if (strcmp(w->pages[n].url, W_JWKS) == 0)
            i->keys = w->pages[n].body;
    }
    assert_true(i->keys.n > 0);
    assert_int_equal(http_server_start(i->http), RC_OK);
}

void test_issuer_stop(test_issuer_t *i)
{
    http_server_stop(i->http);
    http_server_join(i->http);
    http_server_free(i->http);
}
