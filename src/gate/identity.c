#include "gate/identity.h"

#include "core/limits.h"

enum { VALUE_BYTES = 8192 };

/* Fields that stay here: credentials, what belongs to one connection or frames a message, what
 * servers act on in place of the request line, and who and where the client is. Lower case. */
static const str_t WITHHELD[] = {
    /* credentials */
    STR_INIT("authorization"),
    STR_INIT("authentication-info"),
    STR_INIT("dpop"),
    STR_INIT("cookie"),
    STR_INIT("cookie2"),
    STR_INIT("x-api-key"),
    STR_INIT("api-key"),
    STR_INIT("x-csrf-token"),
    /* connection and framing (RFC 9110 sections 7.6 and 8, RFC 9112) */
    STR_INIT("host"),
    STR_INIT("connection"),
    STR_INIT("keep-alive"),
    STR_INIT("te"),
    STR_INIT("trailer"),
    STR_INIT("transfer-encoding"),
    STR_INIT("upgrade"),
    STR_INIT("http2-settings"),
    STR_INIT("content-length"),
    STR_INIT("content-encoding"),
    STR_INIT("expect"),
    STR_INIT("max-forwards"),
    STR_INIT("via"),
    /* answers are read here: they must come whole and plain */
    STR_INIT("accept-encoding"),
    STR_INIT("range"),
    STR_INIT("if-range"),
    /* another method, another path */
    STR_INIT("x-http-method"),
    STR_INIT("x-http-method-override"),
    STR_INIT("x-method-override"),
    /* who and where */
    STR_INIT("origin"),
    STR_INIT("referer"),
    STR_INIT("from"),
    STR_INIT("forwarded"),
    STR_INIT("x-forwarded"),
    STR_INIT("x-real-ip"),
    STR_INIT("x-client-ip"),
    STR_INIT("x-cluster-client-ip"),
    STR_INIT("client-ip"),
    STR_INIT("true-client-ip"),
    STR_INIT("cf-connecting-ip"),
    STR_INIT("fastly-client-ip"),
    STR_INIT("x-userinfo"),
    STR_INIT("x-oauth"),
    /* the relay translates these */
    STR_INIT("mcp-session-id"),
    STR_INIT("last-event-id"),
};

/* Beginnings of names by which proxies tell who somebody is, or what was asked of them. */
static const str_t WITHHELD_PREFIXES[] = {
    STR_INIT("proxy-"),        STR_INIT("x-forwarded-"),  STR_INIT("x-original-"),
    STR_INIT("x-rewrite-"),    STR_INIT("x-auth-"),       STR_INIT("x-authenticated"),
    STR_INIT("x-access-"),     STR_INIT("x-id-token"),    STR_INIT("x-jwt"),
    STR_INIT("x-token"),       STR_INIT("x-user"),        STR_INIT("x-remote-"),
    STR_INIT("remote-"),       STR_INIT("x-email"),       STR_INIT("x-group"),
    STR_INIT("x-role"),        STR_INIT("x-scope"),       STR_INIT("x-claim"),
    STR_INIT("x-identity"),    STR_INIT("x-subject"),     STR_INIT("x-consumer-"),
    STR_INIT("x-credential-"), STR_INIT("x-client-cert"), STR_INIT("x-ssl-"),
    STR_INIT("ssl-client-"),   STR_INIT("client-cert"),   STR_INIT("x-ms-client-"),
    STR_INIT("x-ms-token-"),   STR_INIT("x-goog-"),       STR_INIT("x-amzn-oidc-"),
    STR_INIT("cf-access-"),    STR_INIT("x-pomerium-"),   STR_INIT("x-authentik-"),
    STR_INIT("tailscale-"),    STR_INIT("x-webauth-"),    STR_INIT("x-envoy-"),
    STR_INIT("x-warder-"),
};

/* Servers that hand fields on as variables turn every other character into one and the same. */
static unsigned char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c | 0x20);
    return c == '_' ? '-' : (unsigned char)c;
}

static bool begins(str_t name, str_t with)
{
    if (!with.p || name.n < with.n)
        return false;
    for (size_t i = 0; i < with.n; i++) {
        if (fold(name.p[i]) != fold(with.p[i]))
            return false;
    }
    return true;
}

static bool is_same(str_t name, str_t other)
{
    return name.n == other.n && begins(name, other);
}

static bool is_configured(const conf_upstream_t *u, str_t name)
{
    for (size_t i = 0; i < u->strip.n; i++) {
        if (is_same(name, u->strip.v[i]))
            return true;
    }
    return is_same(name, u->identity_header) || is_same(name, u->credential.header);
}

/* `name` is not empty. The first letter settles most rows: this runs for every field of a request.
 */
static bool is_withheld(str_t name)
{
    char first = (char)fold(name.p[0]);
    for (size_t i = 0; i < sizeof WITHHELD / sizeof *WITHHELD; i++) {
        if (WITHHELD[i].p[0] == first && is_same(name, WITHHELD[i]))
            return true;
    }
    for (size_t i = 0; i < sizeof WITHHELD_PREFIXES / sizeof *WITHHELD_PREFIXES; i++) {
        if (WITHHELD_PREFIXES[i].p[0] == first && begins(name, WITHHELD_PREFIXES[i]))
            return true;
    }
    return false;
}

/* Letters, digits and hyphens: no two such names become one variable. The names of repeated
 * arguments may be any token; they stand behind a beginning of their own. */
static bool is_plain_name(str_t name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], lower = (char)(c | 0x20);
        bool plain = (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-';
        if (!plain)
            return false;
    }
    return name.n > 0;
}

/* What nearly every message brings: in none of the tables above, which need not be searched. */
static bool is_usual(str_t name)
{
    static const str_t USUAL[] = {
        STR_INIT("accept"),     STR_INIT("content-type"),         STR_INIT("user-agent"),
        STR_INIT("mcp-method"), STR_INIT("mcp-protocol-version"), STR_INIT("mcp-name"),
    };
    for (size_t i = 0; i < sizeof USUAL / sizeof *USUAL; i++) {
        if (str_eq_nocase(name, USUAL[i]))
            return true;
    }
    return false;
}

bool gate_identity_passes(const conf_upstream_t *upstream, str_t name)
{
    if (is_usual(name))
        return !is_configured(upstream, name);
    str_t param = STR("mcp-param-");
    bool plain =
        is_plain_name(name) || (name.n > param.n && str_eq_nocase(str_first(name, param.n), param));
    return plain && !is_withheld(name) && !is_configured(upstream, name);
}

/* Visible ASCII but for the percent sign and the comma, which separates. */
static void put_text(buf_t *b, str_t text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c > 0x20 && c < 0x7f && c != '%' && c != ',')
            buf_char(b, c);
        else
            buf_percent(b, str_of(&text.p[i], 1));
    }
}

static void put_scope(buf_t *b, str_t scope)
{
    str_t token;
    while (str_split(&scope, ' ', &token)) {
        if (token.n > 0 && b->n > 0)
            buf_char(b, ' ');
        put_text(b, token);
    }
}

static void put_groups(buf_t *b, const json_t *groups)
{
    for (const json_t *g = json_is(groups, JSON_ARRAY) ? groups->child : NULL; g; g = g->next) {
        if (!json_is(g, JSON_STRING) || g->str.n == 0)
            continue;
        if (b->n > 0)
            buf_char(b, ',');
        put_text(b, g->str);
    }
}

enum { FIELD_COUNT = 5 };

rc_t gate_identity_fields(arena_t *a, const conf_upstream_t *upstream, const gate_principal_t *who,
                          const gate_field_t **out, size_t *n)
{
    *n = 0;
    *out = NULL;
    if (upstream->identity != CONF_IDENTITY_HEADERS)
        return RC_OK;
    gate_field_t *v = ARENA_ARRAY(a, FIELD_COUNT, gate_field_t);
    if (!v)
        return RC_MEMORY;
    buf_t b[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        b[i] = buf_new(a, VALUE_BYTES);
    put_text(&b[0], who->issuer);
    put_text(&b[1], who->subject);
    put_text(&b[2], who->client);
    put_scope(&b[3], who->scope);
    put_groups(&b[4], json_get(who->claims, STR("groups")));
    static const str_t NAMES[FIELD_COUNT] = {
        STR_INIT("X-Warder-Issuer"), STR_INIT("X-Warder-Subject"), STR_INIT("X-Warder-Client"),
        STR_INIT("X-Warder-Scope"), STR_INIT("X-Warder-Groups")};
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        gate_field_t *f = &v[*n];
        f->name = NAMES[i];
        TRY(buf_done(&b[i], &f->value));
        *n += f->value.n > 0;
    }
    *out = v;
    return RC_OK;
}

static void write_groups(json_writer_t *w, const json_t *groups)
{
    if (!json_is(groups, JSON_ARRAY))
        return;
    json_key(w, STR("groups"));
    json_begin_array(w);
    for (const json_t *g = groups->child; g; g = g->next) {
        if (json_is(g, JSON_STRING))
            json_str(w, g->str);
    }
    json_end_array(w);
}

/* It says nothing for longer than the token that it comes from. */
static int64_t end_of(const gate_assertion_t *about, const gate_principal_t *who)
{
    int64_t end = about->now_s + GATE_IDENTITY_LIFE_S;
    return who->expires_at > 0 && who->expires_at < end ? who->expires_at : end;
}

rc_t gate_identity_claims(arena_t *a, const gate_assertion_t *about, const gate_principal_t *who,
                          str_t *out)
{
    buf_t b = buf_new(a, LIMIT_TOKEN_CLAIMS_BYTES);
    json_writer_t w = json_writer(&b);
    json_begin_object(&w);
    json_member_str(&w, STR("iss"), about->issuer);
    json_member_str(&w, STR("aud"), about->audience);
    json_member_str(&w, STR("sub"), who->subject);
    if (who->client.n > 0)
        json_member_str(&w, STR("client_id"), who->client);
    if (who->scope.n > 0)
        json_member_str(&w, STR("scope"), who->scope);
    write_groups(&w, json_get(who->claims, STR("groups")));
    json_member_str(&w, STR("orig_iss"), who->issuer);
    json_member_int(&w, STR("iat"), about->now_s);
    json_member_int(&w, STR("exp"), end_of(about, who));
    json_member_str(&w, STR("jti"), about->id);
    json_end_object(&w);
    return buf_done(&b, out);
}
