/* ArcSight Common Event Format, version 0: a header of seven fields between bars, then pairs. In
 * the header bar and backslash are escaped, in values equals sign and backslash ("Implementing
 * ArcSight Common Event Format", section "Character encoding"). */
#include "audit/export_rows.h"

/* Six texts and three numbers may have names of their own; the rest has keys of ours. */
static const audit_row_t ROWS[] = {
    AUDIT_ROW("seq", "externalId"),
    AUDIT_ROW("decision", "act"),
    AUDIT_ROW("reason", "reason"),
    AUDIT_ROW("detail", "msg"),
    AUDIT_ROW("user", "suser"),
    AUDIT_ROW("resource", "request"),
    AUDIT_ROW("bytes_in", "in"),
    AUDIT_ROW("bytes_out", "out"),
    AUDIT_ROW("client", "cs1"),
    AUDIT_ROW("tool", "cs2"),
    AUDIT_ROW("method", "cs3"),
    AUDIT_ROW("rule", "cs4"),
    AUDIT_ROW("scope", "cs5"),
    AUDIT_ROW("request_id", "cs6"),
    AUDIT_ROW("status", "cn1"),
    AUDIT_ROW("duration_us", "cn2"),
    AUDIT_ROW("issuer", "warderIssuer"),
    AUDIT_ROW("upstream", "warderUpstream"),
    AUDIT_ROW("object", "warderObject"),
    AUDIT_ROW("shadow", "warderShadow"),
    AUDIT_ROW("arguments_hash", "warderArgumentsHash"),
    AUDIT_ROW("arguments", "warderArguments"),
    AUDIT_ROW("arguments_omitted", "warderArgumentsOmitted"),
    AUDIT_ROW("family", "warderFamily"),
    AUDIT_ROW("token", "warderToken"),
    AUDIT_ROW("trace", "warderTrace"),
    AUDIT_ROW("chain", "warderChain"),
    AUDIT_ROW("head", "warderHead"),
    AUDIT_ROW("key", "warderKey"),
    AUDIT_ROW("signature", "warderSignature"),
    AUDIT_ROW("file", "warderFile"),
    AUDIT_ROW("prev", "warderPrev"),
};
enum { N_ROWS = sizeof ROWS / sizeof ROWS[0] };

static void put_header(buf_t *b, arena_t *scratch, str_t text)
{
    audit_put_escaped(b, scratch, text, "|");
    buf_char(b, '|');
}

static void put_pair(buf_t *b, arena_t *scratch, str_t key, str_t value)
{
    buf_char(b, ' ');
    buf_put(b, key);
    buf_char(b, '=');
    audit_put_escaped(b, scratch, value, "=");
}

/* cs1 to cs6, cn1 to cn3 and c6a2 say beside them what they hold. */
static void put_label(buf_t *b, str_t key, str_t label)
{
    buf_char(b, ' ');
    buf_put(b, key);
    buf_put(b, STR("Label="));
    buf_put(b, label);
}

/* `src` takes IPv4 only. */
static void put_address(buf_t *b, arena_t *scratch, str_t address)
{
    if (!str_is_set(address))
        return;
    bool is_v6 = str_find(address, ':', 0) < address.n;
    put_pair(b, scratch, is_v6 ? STR("c6a2") : STR("src"), address);
    if (is_v6)
        put_label(b, STR("c6a2"), STR("Source IPv6 Address"));
}

static bool has_label(str_t key)
{
    return key.n == 3 && (str_starts(key, STR("cs")) || str_starts(key, STR("cn")));
}

void audit_cef_write(const audit_export_t *how, arena_t *scratch, const audit_record_t *r, buf_t *b)
{
    static const char *const SEVERITY[] = {"3", "5", "8"};
    buf_put(b, STR("CEF:0|Warder|Warder|"));
    put_header(b, scratch, how->version);
    put_header(b, scratch, r->event);
    put_header(b, scratch, r->event);
    put_header(b, scratch, str_c(SEVERITY[audit_level_of(r)]));
    buf_put(b, STR("rt="));
    buf_i64(b, audit_time_parse(r->time));
    for (size_t i = 0; i < N_ROWS; i++) {
        str_t text = audit_member_text(r, ROWS[i].member);
        if (!str_is_set(text))
            continue;
        put_pair(b, scratch, ROWS[i].place, text);
        if (has_label(ROWS[i].place))
            put_label(b, ROWS[i].place, ROWS[i].member);
    }
    put_address(b, scratch, audit_member_text(r, STR("address")));
}
