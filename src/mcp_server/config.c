#include "mcp_server/config.h"

#include "core/limits.h"

#define DEFAULT_TO(member, value)                                                                  \
    do {                                                                                           \
        if (c->member == 0)                                                                        \
            c->member = (value);                                                                   \
    } while (0)

enum {
    SECRET_BYTES = 32,
    THREADS = 256,
    WAITING = 65536,
    PAGE = 1000,
    CALLS = 1000000, /* a minute */
    DAY_S = 86400,
};

static rc_t wrong(str_t *why, const char *sentence)
{
    *why = str_c(sentence);
    return RC_CONFIG;
}

static bool is_text(const char *text)
{
    return text && *text && str_is_utf8(str_c(text));
}

static bool is_text_or_none(const char *text)
{
    return !text || str_is_utf8(str_c(text));
}

static rc_t check_texts(const warder_mcp_config_t *c, str_t *why)
{
    if (!is_text(c->name) || !is_text(c->version))
        return wrong(why, "The config needs a name and a version, in UTF-8: say both.");
    if (!is_text_or_none(c->title) || !is_text_or_none(c->instructions) ||
        !is_text_or_none(c->website_url))
        return wrong(why, "A text of the config is not UTF-8: correct it.");
    if (c->state_secret && strlen(c->state_secret) < SECRET_BYTES)
        return wrong(why,
                     "The config's state_secret has fewer than 32 characters: make a longer one.");
    return RC_OK;
}

static rc_t check_numbers(const warder_mcp_config_t *c, str_t *why)
{
    if (c->threads > THREADS || c->waiting > WAITING)
        return wrong(why, "The config allows at most 256 threads and 65536 waiting: say less.");
    if (c->page > PAGE || c->calls_per_minute > CALLS)
        return wrong(why, "The config allows at most 1000 entries on a page and 1000000 calls per "
                          "minute: say less.");
    if (c->list_fresh_s < -1 || c->list_fresh_s > DAY_S)
        return wrong(why, "The config's list_fresh_s must be from -1 to 86400: correct it.");
    if (c->task_kept_s < 0 || c->task_kept_s > DAY_S)
        return wrong(why, "The config's task_kept_s must be from 0 to 86400: correct it.");
    return RC_OK;
}

rc_t mcp_config_complete(warder_mcp_config_t *c, str_t *why)
{
    TRY(check_texts(c, why));
    TRY(check_numbers(c, why));
    DEFAULT_TO(threads, 4);
    DEFAULT_TO(waiting, 256);
    DEFAULT_TO(page, 100);
    DEFAULT_TO(calls_per_minute, LIMIT_MCP_CALLS_PER_MINUTE);
    DEFAULT_TO(list_fresh_s, 60);
    DEFAULT_TO(task_kept_s, 900);
    return RC_OK;
}

rc_t mcp_config_info(arena_t *a, const warder_mcp_config_t *c, bool whole, str_t *out)
{
    buf_t b = buf_new(a, MCP_ENTRY_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("name"), str_c(c->name));
    json_member_str(&w, STR("title"), str_c(c->title));
    json_member_str(&w, STR("version"), str_c(c->version));
    if (whole) {
        json_member_str(&w, STR("websiteUrl"), str_c(c->website_url));
        TRY(mcp_entry_icons(a, &w, c->icons));
    }
    json_end_object(&w);
    return buf_done(&b, out);
}
