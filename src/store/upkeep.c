#include "store/upkeep.h"

#include "store/driver.h"

static rc_t refuse(const store_t *s, arena_t *a, const char *what, str_t *why)
{
    *why = arena_printf(a, "a store of the kind %s cannot be %s", s->driver->name, what);
    return RC_CONFIG;
}

rc_t store_dump(store_t *s, arena_t *a, const store_sink_t *sink, str_t *why)
{
    return s->driver->dump ? s->driver->dump(s, a, sink, why) : refuse(s, a, "read whole", why);
}

rc_t store_fill(store_t *s, arena_t *a, const store_source_t *source, str_t *why)
{
    return s->driver->fill ? s->driver->fill(s, a, source, why) : refuse(s, a, "filled", why);
}

rc_t store_stats(store_t *s, store_stats_t *out, arena_t *a, str_t *why)
{
    return s->driver->stats ? s->driver->stats(s, out, a, why) : refuse(s, a, "counted", why);
}

rc_t store_check(store_t *s, arena_t *a, const store_finder_t *finder, str_t *why)
{
    return s->driver->check ? s->driver->check(s, a, finder, why) : refuse(s, a, "checked", why);
}

rc_t store_backup(store_t *s, arena_t *a, const char *path, str_t *why)
{
    return s->driver->backup ? s->driver->backup(s, a, path, why)
                             : refuse(s, a, "copied to a file; its server has a way to", why);
}

rc_t store_hold(const store_config_t *config, arena_t *a, store_hold_t **out, str_t *why)
{
    const store_driver_t *driver = store_driver(config->driver);
    *out = NULL;
    if (driver && driver->hold)
        return driver->hold(config, a, out, why);
    *why =
        arena_printf(a, "a store of the kind %" PRIstr " cannot be held", STR_ARG(config->driver));
    return RC_CONFIG;
}

rc_t store_open_held(arena_t *a, const store_config_t *config, store_t **out, store_hold_t **hold,
                     str_t *why)
{
    const store_driver_t *driver = store_driver(config->driver);
    *out = NULL;
    *hold = NULL;
    if (driver && driver->open_held)
        return driver->open_held(a, config, out, hold, why);
    *why =
        arena_printf(a, "a store of the kind %" PRIstr " cannot be held", STR_ARG(config->driver));
    return RC_CONFIG;
}

void store_release(store_hold_t *hold)
{
    if (hold)
        hold->driver->release(hold);
}

rc_t store_idle(const store_config_t *config, arena_t *a, bool *idle, str_t *why)
{
    const store_driver_t *driver = store_driver(config->driver);
    *idle = false;
    if (driver && driver->idle)
        return driver->idle(config, a, idle, why);
    *why = arena_printf(a, "a store of the kind %" PRIstr " cannot tell who uses it",
                        STR_ARG(config->driver));
    return RC_CONFIG;
}
