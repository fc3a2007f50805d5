#include "cmd/connect_config.h"

#include "core/json.h"
#include "core/url.h"

enum { NAME_BYTES = 48 };

/* {"KEY":{"NAME":{TYPE"command":…,"args":[…]}}} */
static void write_json(const connect_config_t *c, str_t key, bool typed, buf_t *out)
{
    json_writer_t w = json_writer(out);
    json_begin_object(&w);
    json_key(&w, key);
    json_begin_object(&w);
    json_key(&w, c->name);
    json_begin_object(&w);
    if (typed)
        json_member_str(&w, STR("type"), STR("stdio"));
    json_member_str(&w, STR("command"), c->command);
    json_member_strs(&w, STR("args"), c->args);
    json_end_object(&w);
    json_end_object(&w);
    json_end_object(&w);
    buf_char(out, '\n');
}

/* A TOML basic string is written as a JSON one (TOML 1.0, "String"). */
static void write_toml_string(buf_t *out, str_t s)
{
    json_writer_t w = json_writer(out);
    json_str(&w, s);
}

static void write_toml(const connect_config_t *c, buf_t *out)
{
    buf_put(out, STR("[mcp_servers."));
    buf_put(out, c->name);
    buf_put(out, STR("]\ncommand = "));
    write_toml_string(out, c->command);
    buf_put(out, STR("\nargs = ["));
    for (size_t i = 0; i < c->args.n; i++) {
        buf_put(out, i ? STR(", ") : STR(""));
        write_toml_string(out, c->args.v[i]);
    }
    buf_put(out, STR("]\n"));
}

static void write_servers(const connect_config_t *c, buf_t *out)
{
    write_json(c, STR("mcpServers"), false, out);
}

static void write_vscode(const connect_config_t *c, buf_t *out)
{
    write_json(c, STR("servers"), true, out);
}

static void write_zed(const connect_config_t *c, buf_t *out)
{
    write_json(c, STR("context_servers"), false, out);
}

bool connect_config_write(str_t host, const connect_config_t *c, buf_t *out)
{
    static const struct {
        str_t host;
        void (*write)(const connect_config_t *c, buf_t *out);
    } HOSTS[] = {
        {STR_INIT("claude"), write_servers},   {STR_INIT("cursor"), write_servers},
        {STR_INIT("windsurf"), write_servers}, {STR_INIT("gemini-cli"), write_servers},
        {STR_INIT("vscode"), write_vscode},    {STR_INIT("zed"), write_zed},
        {STR_INIT("codex"), write_toml},
    };
    for (size_t i = 0; i < sizeof HOSTS / sizeof *HOSTS; i++) {
        if (!str_eq(host, HOSTS[i].host))
            continue;
        HOSTS[i].write(c, out);
        return true;
    }
    return false;
}

static bool is_name_char(char c)
{
    char lower = (char)(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/* Host and path, without the /mcp that all of them end in; of what is no URL all there is. */
static str_t telling_part(str_t text)
{
    url_t u;
    if (url_parse(text, &u) != RC_OK || !u.host.p)
        return text;
    str_t part = str_of(u.host.p, (size_t)(u.path.p + u.path.n - u.host.p));
    return str_ends(part, STR("/mcp")) ? str_first(part, part.n - 4) : part;
}

str_t connect_config_name(arena_t *a, str_t text)
{
    buf_t b = buf_new(a, NAME_BYTES + 1);
    str_t part = telling_part(text), out;
    bool dash = false;
    for (size_t i = 0; i < part.n && b.n < NAME_BYTES; i++) {
        if (is_name_char(part.p[i]) && dash && b.n > 0)
            buf_char(&b, '-');
        dash = !is_name_char(part.p[i]);
        if (!dash)
            buf_char(&b, part.p[i]);
    }
    return b.n > 0 && buf_done(&b, &out) == RC_OK ? out : STR("remote");
}
