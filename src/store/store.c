#include "store/driver.h"

static const store_driver_t *const DRIVERS[] = {&STORE_SQLITE, &STORE_MEMORY, &STORE_POSTGRES};

rc_t store_open(arena_t *a, const store_config_t *config, store_t **out, str_t *why)
{
    for (size_t i = 0; i < sizeof DRIVERS / sizeof DRIVERS[0]; i++) {
        if (str_eq(config->driver, str_c(DRIVERS[i]->name)))
            return DRIVERS[i]->open(a, config, out, why);
    }
    *why = arena_printf(a, "no store is called %" PRIstr "; take sqlite, memory or postgres",
                        STR_ARG(config->driver));
    return RC_CONFIG;
}

void store_close(store_t *s)
{
    s->driver->close(s);
}

rc_t store_connect(store_t *s, post_port_t post, store_conn_t **out)
{
    return s->driver->connect(s, post, out);
}

void store_disconnect(store_conn_t *c)
{
    c->driver->disconnect(c);
}

void store_ask(store_conn_t *c, arena_t *a, ask_t *asks, size_t n, store_done_t done, void *ctx)
{
    c->driver->ask(c, a, asks, n, done, ctx);
}

void store_apply(store_conn_t *c, const effects_t *effects, store_done_t done, void *ctx)
{
    c->driver->apply(c, effects, done, ctx);
}

uint64_t store_generation(store_conn_t *c)
{
    return c->driver->generation(c);
}

void store_expire(store_conn_t *c, store_expire_t *expire, store_done_t done, void *ctx)
{
    c->driver->expire(c, expire, done, ctx);
}

int64_t store_moment(const store_t *s, int64_t now_s)
{
    return now_s + (s->driver->shared ? STORE_CLOCKS_S : 0);
}

void store_forget(store_conn_t *c, store_forget_t *forget, store_done_t done, void *ctx)
{
    c->driver->forget(c, forget, done, ctx);
}

void store_health(store_t *s, store_health_t *out)
{
    *out = (store_health_t){.up = true};
    if (s->driver->health)
        s->driver->health(s, out);
}

const store_driver_t *store_driver(str_t name)
{
    for (size_t i = 0; i < sizeof DRIVERS / sizeof DRIVERS[0]; i++) {
        if (str_eq(name, str_c(DRIVERS[i]->name)))
            return DRIVERS[i];
    }
    return NULL;
}
