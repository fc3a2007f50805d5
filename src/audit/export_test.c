#include "audit/export.h"

#include "audit/audit_test_util.h"
#include "audit/tail.h"
#include "core/limits.h"

#include <ctype.h>
#include <stdlib.h>

static const int64_t NOW = 1764083102123; /* 2025-11-25T15:05:02.123Z */

static const audit_event_t CALL = {
    .kind = AUDIT_CALL_END,
    .allowed = true,
    .user = STR_INIT("u1"),
    .issuer = STR_INIT("https://as.example"),
    .client = STR_INIT("c1"),
    .upstream = STR_INIT("/mcp"),
    .method = STR_INIT("tools/call"),
    .tool = STR_INIT("get_news"),
    .rule = STR_INIT("read"),
    .address = STR_INIT("192.0.2.1"),
    .request_id = STR_INIT("r1"),
    .trace = STR_INIT("4bf92f3577b34da6a3ce929d0e0e4736"),
    .status = 200,
    .bytes_in = 300,
    .bytes_out = 1024,
    .duration_us = 1500,
};

static str_t line_of(trail_t *t, const audit_event_t *e)
{
    str_t body;
    audit_head_t head = {.seq = 6};
    buf_t room = buf_new(t->a, LIMIT_AUDIT_LINE_BYTES), b = buf_new(t->a, LIMIT_AUDIT_LINE_BYTES);
    assert_int_equal(audit_body_write(&room, e, NOW, &body), RC_OK);
    audit_line_write(&b, &head, body);
    return buf_str(&b);
}

static str_t exported(trail_t *t, audit_format_t format, bool octets, str_t line)
{
    const audit_export_t how = {format, STR("1.2|3"), STR("host.example"), octets};
    uint64_t seq;
    buf_t b = buf_new(t->a, AUDIT_EXPORT_BYTES);
    assert_int_equal(audit_export_line(&how, t->scratch, line, &b, &seq), RC_OK);
    assert_int_equal(seq, 7);
    return buf_str(&b);
}

/* One record of one line, without its newline. */
static str_t record_of(trail_t *t, audit_format_t format, const audit_event_t *e)
{
    str_t record = exported(t, format, false, line_of(t, e));
    assert_int_equal(str_find(record, '\n', 0), record.n - 1);
    return str_first(record, record.n - 1);
}

static const json_t *object_of(trail_t *t, audit_format_t format, const audit_event_t *e)
{
    const json_t *json;
    assert_int_equal(json_parse(t->a, record_of(t, format, e), NULL, &json), RC_OK);
    return json;
}

/* The member at "a.b.c". */
static const json_t *at(const json_t *v, const char *path)
{
    str_t rest = str_c(path), part;
    while (v && str_split(&rest, '.', &part))
        v = json_get(v, part);
    return v;
}

static int64_t number(const json_t *v, const char *path)
{
    int64_t n = -1;
    assert_true(json_i64(at(v, path), &n));
    return n;
}

static void formats_have_names(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"ocsf", "cef", "syslog", "otlp"};
    audit_format_t format;
    for (size_t i = 0; i < 4; i++) {
        assert_true(audit_export_format(str_c(NAMES[i]), &format));
        assert_int_equal(format, i);
    }
    assert_false(audit_export_format(STR("OCSF"), &format));
    assert_false(audit_export_format(STR(""), &format));
}

static void what_is_no_line_is_refused(void **state)
{
    static const str_t ROWS[] = {STR_INIT(""), STR_INIT("\n"), STR_INIT("{}\n"),
                                 STR_INIT("hello\n"), STR_INIT("{\"seq\":1}\n")};
    trail_t *t = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const audit_export_t how = {AUDIT_EXPORT_CEF, STR("1"), STR("h"), false};
        uint64_t seq;
        buf_t b = buf_new(t->a, 1024);
        assert_int_equal(audit_export_line(&how, t->scratch, ROWS[i], &b, &seq), RC_MALFORMED);
        assert_int_equal(b.n, 0);
    }
}

/* ---- OCSF ---- */

static void call_is_api_activity(void **state)
{
    trail_t *t = *state;
    const json_t *json = object_of(t, AUDIT_EXPORT_OCSF, &CALL);
    assert_int_equal(number(json, "class_uid"), 6003);
    assert_int_equal(number(json, "category_uid"), 6);
    assert_int_equal(number(json, "activity_id"), 99);
    assert_int_equal(number(json, "type_uid"), 600399);
    assert_int_equal(number(json, "time"), NOW);
    assert_int_equal(number(json, "severity_id"), 1);
    assert_int_equal(number(json, "status_id"), 1);
    assert_int_equal(number(json, "duration"), 1);
    assert_str(at(json, "metadata.version")->str, STR("1.3.0"));
    assert_str(at(json, "metadata.product.name")->str, STR("Warder"));
    assert_int_equal(number(json, "metadata.sequence"), 7);
    assert_str(at(json, "metadata.correlation_uid")->str, STR("r1"));
    assert_str(at(json, "actor.user.uid")->str, STR("u1"));
    assert_str(at(json, "actor.session.issuer")->str, STR("https://as.example"));
    assert_str(at(json, "actor.app_uid")->str, STR("c1"));
    assert_str(at(json, "api.operation")->str, STR("tools/call"));
    assert_str(at(json, "api.service.name")->str, STR("/mcp"));
    assert_str(at(json, "api.request.uid")->str, STR("r1"));
    assert_int_equal(number(json, "api.response.code"), 200);
    assert_str(at(json, "src_endpoint.ip")->str, STR("192.0.2.1"));
    assert_str(json_get_str(at(json, "resources")->child, STR("name")), STR("get_news"));
    assert_str(at(json, "unmapped.rule")->str, STR("read"));
    assert_int_equal(at(json, "unmapped.prev")->str.n, AUDIT_HASH_HEX);
    assert_int_equal(number(json, "unmapped.bytes_out"), 1024);
}

static void refused_login_is_authentication(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_LOGIN, .user = STR("u1"), .reason = STR("password_wrong")};
    const json_t *json = object_of(t, AUDIT_EXPORT_OCSF, &e);
    assert_int_equal(number(json, "class_uid"), 3002);
    assert_int_equal(number(json, "category_uid"), 3);
    assert_int_equal(number(json, "type_uid"), 300201);
    assert_int_equal(number(json, "severity_id"), 2);
    assert_int_equal(number(json, "status_id"), 2);
    assert_str(at(json, "status_detail")->str, STR("password_wrong"));
    assert_str(at(json, "user.uid")->str, STR("u1"));
    assert_non_null(at(json, "service.name"));
}

/* Every kind has what its class requires, even of an event that tells nothing. */
static void required_members_are_always_there(void **state)
{
    static const char *const REQUIRED[] = {
        "category_uid", "class_uid",        "activity_id", "type_uid",      "time",
        "severity_id",  "metadata.version", "actor",       "api.operation", "src_endpoint",
    };
    trail_t *t = *state;
    for (audit_kind_t kind = 0; kind < AUDIT_KIND_COUNT; kind++) {
        audit_event_t e = {.kind = kind};
        const json_t *json = object_of(t, AUDIT_EXPORT_OCSF, &e);
        for (size_t i = 0; i < sizeof REQUIRED / sizeof REQUIRED[0]; i++)
            if (!at(json, REQUIRED[i]))
                fail_msg("%" PRIstr " lacks %s", STR_ARG(audit_kind_name(kind)), REQUIRED[i]);
        assert_non_null(at(json, "actor")->child);
        assert_non_null(at(json, "src_endpoint")->child);
        if (number(json, "class_uid") == 3002)
            assert_non_null(at(json, "user")->child);
        assert_int_equal(number(json, "type_uid"),
                         number(json, "class_uid") * 100 + number(json, "activity_id"));
    }
}

/* ---- CEF: a strict reader ---- */

/* Takes one header field off *rest, unescaped; only \| and \\ may be. */
static str_t cef_field(trail_t *t, str_t *rest)
{
    buf_t b = buf_new(t->a, 1 << 20);
    size_t i = 0;
    for (; i < rest->n && rest->p[i] != '|'; i++) {
        if (rest->p[i] == '\\') {
            i++;
            assert_true(i < rest->n && (rest->p[i] == '|' || rest->p[i] == '\\'));
        }
        buf_char(&b, rest->p[i]);
    }
    assert_true(i < rest->n);
    *rest = str_skip(*rest, i + 1);
    return b.n > 0 ? buf_str(&b) : STR("");
}

/* Where the value at the front of `s` ends: before " key=", with no equals sign unescaped. */
static size_t cef_value_end(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\\') {
            i++;
            assert_true(i < s.n && strchr("\\=", s.p[i]));
            continue;
        }
        assert_int_not_equal(s.p[i], '=');
        if (s.p[i] != ' ')
            continue;
        size_t k = i + 1;
        while (k < s.n && isalnum((unsigned char)s.p[k]))
            k++;
        if (k > i + 1 && k < s.n && s.p[k] == '=')
            return i;
    }
    return s.n;
}

static str_t cef_value(trail_t *t, str_t ext, str_t key)
{
    while (ext.n > 0) {
        size_t eq = str_find(ext, '=', 0);
        assert_true(eq > 0 && eq < ext.n);
        for (size_t i = 0; i < eq; i++)
            assert_true(isalnum((unsigned char)ext.p[i]));
        str_t name = str_first(ext, eq), value = str_skip(ext, eq + 1);
        size_t end = cef_value_end(value);
        ext = str_skip(value, end + 1);
        if (!str_eq(name, key))
            continue;
        buf_t b = buf_new(t->a, 1 << 20);
        for (size_t i = 0; i < end; i++) {
            i += value.p[i] == '\\';
            buf_char(&b, value.p[i]);
        }
        return buf_str(&b);
    }
    return STR_UNSET;
}

static str_t cef_extension(trail_t *t, str_t record, const char *severity)
{
    str_t rest = record;
    assert_str(cef_field(t, &rest), STR("CEF:0"));
    assert_str(cef_field(t, &rest), STR("Warder"));
    assert_str(cef_field(t, &rest), STR("Warder"));
    assert_str(cef_field(t, &rest), STR("1.2|3"));
    str_t id = cef_field(t, &rest);
    assert_str(cef_field(t, &rest), id);
    assert_str(cef_field(t, &rest), str_c(severity));
    return rest;
}

static void cef_line_is_this(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_TOKEN,
                       .reason = STR("pkce_mismatch"),
                       .client = STR("c1"),
                       .address = STR("192.0.2.1")};
    assert_str(record_of(t, AUDIT_EXPORT_CEF, &e),
               STR("CEF:0|Warder|Warder|1.2\\|3|token|token|5|rt=1764083102123 externalId=7 "
                   "act=deny reason=pkce_mismatch cs1=c1 cs1Label=client warderPrev="
                   "0000000000000000000000000000000000000000000000000000000000000000 "
                   "src=192.0.2.1"));
}

static void cef_pairs_of_a_call(void **state)
{
    trail_t *t = *state;
    str_t ext = cef_extension(t, record_of(t, AUDIT_EXPORT_CEF, &CALL), "3");
    assert_str(cef_value(t, ext, STR("cs2")), STR("get_news"));
    assert_str(cef_value(t, ext, STR("cs2Label")), STR("tool"));
    assert_str(cef_value(t, ext, STR("in")), STR("300"));
    assert_str(cef_value(t, ext, STR("out")), STR("1024"));
    assert_str(cef_value(t, ext, STR("cn1")), STR("200"));
    assert_str(cef_value(t, ext, STR("cn1Label")), STR("status"));
    assert_false(str_is_set(cef_value(t, ext, STR("c6a2"))));
    audit_event_t e = CALL;
    e.address = STR("2001:db8::1");
    ext = cef_extension(t, record_of(t, AUDIT_EXPORT_CEF, &e), "3");
    assert_str(cef_value(t, ext, STR("c6a2")), STR("2001:db8::1"));
    assert_false(str_is_set(cef_value(t, ext, STR("src"))));
}

static void replay_is_an_alert(void **state)
{
    trail_t *t = *state;
    audit_event_t e = {.kind = AUDIT_REFRESH_REUSE};
    cef_extension(t, record_of(t, AUDIT_EXPORT_CEF, &e), "8");
    assert_true(str_starts(record_of(t, AUDIT_EXPORT_SYSLOG, &e), STR("<105>1 ")));
}

/* ---- syslog: a strict reader of RFC 5424 section 6 ---- */

static str_t syslog_word(str_t *rest, size_t max)
{
    size_t n = str_find(*rest, ' ', 0);
    assert_true(n > 0 && n <= max && n < rest->n);
    str_t word = str_first(*rest, n);
    assert_true(str_is_printable_ascii(word));
    *rest = str_skip(*rest, n + 1);
    return word;
}

/* One element of structured data; the value of `name` in it. */
static str_t syslog_data(trail_t *t, str_t *rest, str_t name)
{
    str_t found = STR_UNSET, id = STR("[warder@32473");
    assert_true(str_starts(*rest, id));
    *rest = str_skip(*rest, id.n);
    while (rest->n > 0 && rest->p[0] == ' ') {
        size_t eq = str_find(*rest, '=', 0);
        str_t key = str_of(rest->p + 1, eq - 1);
        assert_true(key.n > 0 && key.n <= 32 && str_is_printable_ascii(key));
        assert_int_equal(rest->p[eq + 1], '"');
        buf_t b = buf_new(t->a, 1 << 20);
        size_t i = eq + 2;
        for (; i < rest->n && rest->p[i] != '"'; i++) {
            i += rest->p[i] == '\\';
            assert_true(rest->p[i] != ']' || rest->p[i - 1] == '\\');
            buf_char(&b, rest->p[i]);
        }
        *rest = str_skip(*rest, i + 1);
        if (str_eq(key, name))
            found = b.n > 0 ? buf_str(&b) : STR("");
    }
    assert_true(str_starts(*rest, STR("] ")));
    *rest = str_skip(*rest, 2);
    return found;
}

static str_t syslog_value(trail_t *t, const audit_event_t *e, const char *pri, str_t name)
{
    str_t line = line_of(t, e), rest = record_of(t, AUDIT_EXPORT_SYSLOG, e);
    assert_true(str_starts(rest, str_c(pri)));
    rest = str_skip(rest, strlen(pri));
    assert_str(syslog_word(&rest, 32), STR("2025-11-25T15:05:02.123Z"));
    assert_str(syslog_word(&rest, 255), STR("host.example"));
    assert_str(syslog_word(&rest, 48), STR("warder"));
    assert_str(syslog_word(&rest, 128), STR("-"));
    assert_str(syslog_word(&rest, 32), audit_kind_name(e->kind));
    str_t value = syslog_data(t, &rest, name);
    assert_str(rest, str_trim(line, "\n"));
    return value;
}

static void syslog_of_a_call(void **state)
{
    trail_t *t = *state;
    audit_event_t refused = {.kind = AUDIT_CALL_BEGIN};
    assert_str(syslog_value(t, &CALL, "<110>1 ", STR("tool")), STR("get_news"));
    assert_str(syslog_value(t, &CALL, "<110>1 ", STR("status")), STR("200"));
    assert_str(syslog_value(t, &refused, "<108>1 ", STR("decision")), STR("deny"));
}

static void syslog_counts_octets(void **state)
{
    trail_t *t = *state;
    str_t plain = record_of(t, AUDIT_EXPORT_SYSLOG, &CALL);
    str_t counted = exported(t, AUDIT_EXPORT_SYSLOG, true, line_of(t, &CALL));
    str_t want = arena_printf(t->a, "%zu %" PRIstr, plain.n, STR_ARG(plain));
    assert_str(counted, want);
}

static void host_that_is_none_is_left_out(void **state)
{
    trail_t *t = *state;
    static const str_t HOSTS[] = {STR_INIT("a b"), STR_INIT(""), STR_INIT("\xc3\xa4"), {NULL, 0}};
    for (size_t i = 0; i < 4; i++) {
        const audit_export_t how = {AUDIT_EXPORT_SYSLOG, STR("1"), HOSTS[i], false};
        uint64_t seq;
        buf_t b = buf_new(t->a, 65536);
        assert_int_equal(audit_export_line(&how, t->scratch, line_of(t, &CALL), &b, &seq), RC_OK);
        assert_true(str_contains(buf_str(&b), STR("Z - warder - call.end [")));
    }
}

/* ---- OTLP ---- */

static const json_t *otlp_record(const json_t *json)
{
    const json_t *resource = at(json, "resourceLogs")->child;
    const json_t *scope = at(resource, "scopeLogs")->child;
    assert_str(at(scope, "scope.name")->str, STR("warder.audit"));
    assert_int_equal(at(scope, "logRecords")->count, 1);
    return at(scope, "logRecords")->child;
}

static const json_t *attribute(const json_t *record, str_t key)
{
    for (const json_t *a = at(record, "attributes")->child; a; a = a->next)
        if (str_eq(json_get_str(a, STR("key")), key))
            return json_get(a, STR("value"));
    return NULL;
}

static void otlp_of_a_call(void **state)
{
    trail_t *t = *state;
    const json_t *record = otlp_record(object_of(t, AUDIT_EXPORT_OTLP, &CALL));
    assert_str(at(record, "timeUnixNano")->str, STR("1764083102123000000"));
    assert_int_equal(number(record, "severityNumber"), 9);
    assert_str(at(record, "traceId")->str, CALL.trace);
    assert_str(at(record, "body.stringValue")->str, STR("call.end"));
    assert_str(at(attribute(record, STR("gen_ai.tool.name")), "stringValue")->str, STR("get_news"));
    assert_str(at(attribute(record, STR("http.response.status_code")), "intValue")->str,
               STR("200"));
    assert_str(at(attribute(record, STR("warder.seq")), "intValue")->str, STR("7"));
    assert_non_null(attribute(record, STR("warder.prev")));
}

static void trace_that_is_none_is_no_trace_id(void **state)
{
    trail_t *t = *state;
    static const str_t ROWS[] = {STR_INIT("00000000000000000000000000000000"), STR_INIT("4bf9"),
                                 STR_INIT("4BF92F3577B34DA6A3CE929D0E0E4736")};
    for (size_t i = 0; i < 3; i++) {
        audit_event_t e = CALL;
        e.trace = ROWS[i];
        const json_t *record = otlp_record(object_of(t, AUDIT_EXPORT_OTLP, &e));
        assert_null(at(record, "traceId"));
        assert_str(at(attribute(record, STR("warder.trace")), "stringValue")->str, ROWS[i]);
    }
}

/* ---- what strangers send ---- */

/* What stands in the formats of lines: control characters and what turns text as \uXXXX. */
static str_t visible(trail_t *t, str_t s)
{
    buf_t b = buf_new(t->a, 6 * s.n + 1);
    audit_put_visible(&b, s);
    return buf_str(&b);
}

static void hostile_values_stay_in_their_place(void **state)
{
    static const str_t ROWS[] = {
        STR_INIT("x\nCEF:0|a|b|c|d|e|9|act=allow"),
        STR_INIT("a=b act=allow cs1=admin"),
        STR_INIT("\\"),
        STR_INIT("ends with \\ "),
        STR_INIT("\\n \\= \\] \\\""),
        STR_INIT("\"] [evil@1 a=\"b\"] <13>1 - -"),
        STR_INIT("\r\n<13>1 2025-11-25T15:05:02Z h a - - - x"),
        STR_INIT("\x1b[2J\x7f\xc2\x9b\xe2\x80\xa8\xe2\x80\xae"),
        STR_INIT("|||"),
        STR_INIT("\"}]}]}]}"),
        STR_INIT("\xff\xfe\xed\xa0\x80"),
    };
    trail_t *t = *state;
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        audit_event_t e = {
            .kind = AUDIT_LOGIN, .client = ROWS[i], .tool = ROWS[i], .detail = ROWS[i]};
        const json_t *line;
        assert_int_equal(json_parse(t->a, str_trim(line_of(t, &e), "\n"), NULL, &line), RC_OK);
        str_t text = json_get_str(line, STR("client"));
        str_t ext = cef_extension(t, record_of(t, AUDIT_EXPORT_CEF, &e), "5");
        assert_str(cef_value(t, ext, STR("cs1")), visible(t, text));
        assert_str(cef_value(t, ext, STR("act")), STR("deny"));
        assert_str(syslog_value(t, &e, "<108>1 ", STR("client")), visible(t, text));
        assert_str(at(object_of(t, AUDIT_EXPORT_OCSF, &e), "actor.app_uid")->str, text);
        const json_t *record = otlp_record(object_of(t, AUDIT_EXPORT_OTLP, &e));
        assert_str(at(attribute(record, STR("warder.client")), "stringValue")->str, text);
    }
}

/* An event at its longest in every format. */
static void longest_event_fits(void **state)
{
    trail_t *t = *state;
    char *text = arena_alloc(t->a, LIMIT_AUDIT_LONG_BYTES);
    memset(text, 1, LIMIT_AUDIT_LONG_BYTES);
    str_t s = str_of(text, LIMIT_AUDIT_LONG_BYTES);
    audit_event_t e = {.kind = AUDIT_CALL_END,
                       .reason = s,
                       .detail = s,
                       .user = s,
                       .client = s,
                       .resource = s,
                       .scope = s,
                       .tool = s,
                       .object = s,
                       .issuer = s,
                       .rule = s,
                       .shadow = s,
                       .upstream = s,
                       .method = s,
                       .request_id = s,
                       .family = s,
                       .token = s,
                       .address = s,
                       .trace = s,
                       .arguments_hash = s};
    for (audit_format_t format = 0; format < AUDIT_EXPORT_COUNT; format++)
        assert_true(record_of(t, format, &e).n > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAIL_TEST(formats_have_names),
        TRAIL_TEST(what_is_no_line_is_refused),
        TRAIL_TEST(call_is_api_activity),
        TRAIL_TEST(refused_login_is_authentication),
        TRAIL_TEST(required_members_are_always_there),
        TRAIL_TEST(cef_line_is_this),
        TRAIL_TEST(cef_pairs_of_a_call),
        TRAIL_TEST(replay_is_an_alert),
        TRAIL_TEST(syslog_of_a_call),
        TRAIL_TEST(syslog_counts_octets),
        TRAIL_TEST(host_that_is_none_is_left_out),
        TRAIL_TEST(otlp_of_a_call),
        TRAIL_TEST(trace_that_is_none_is_no_trace_id),
        TRAIL_TEST(hostile_values_stay_in_their_place),
        TRAIL_TEST(longest_event_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
