#include "mcp/operation.h"

#include "mcp/field.h"

#define META_VERSION      "io.modelcontextprotocol/protocolVersion"
#define META_CAPABILITIES "io.modelcontextprotocol/clientCapabilities"

/* What a method is about, and which member of its params says so. */
typedef struct {
    str_t method;
    mcp_object_t object;
    str_t member;
    bool named;     /* the stateless era needs Mcp-Name */
    bool arguments; /* takes them */
    mcp_error_t error;
} method_row_t;

/* Tasks are an extension: its methods are told apart by name only (SEP-2663, "Streamable HTTP:
 * Routing Headers"). */
static const method_row_t METHODS[] = {
    {STR_INIT("tools/call"), MCP_ON_TOOL, STR_INIT("name"), true, true, MCP_ERROR_BAD_NAME},
    {STR_INIT("prompts/get"), MCP_ON_PROMPT, STR_INIT("name"), true, true, MCP_ERROR_BAD_NAME},
    {STR_INIT("resources/read"), MCP_ON_RESOURCE, STR_INIT("uri"), true, false, MCP_ERROR_BAD_URI},
    {STR_INIT("resources/subscribe"), MCP_ON_RESOURCE, STR_INIT("uri"), false, false,
     MCP_ERROR_BAD_URI},
    {STR_INIT("resources/unsubscribe"), MCP_ON_RESOURCE, STR_INIT("uri"), false, false,
     MCP_ERROR_BAD_URI},
    {STR_INIT("tasks/get"), MCP_ON_METHOD, STR_INIT("taskId"), true, false, MCP_NO_ERROR},
    {STR_INIT("tasks/update"), MCP_ON_METHOD, STR_INIT("taskId"), true, false, MCP_NO_ERROR},
    {STR_INIT("tasks/cancel"), MCP_ON_METHOD, STR_INIT("taskId"), true, false, MCP_NO_ERROR},
};

/* Kinds of references that completion/complete takes. */
static const struct {
    str_t type, member;
    mcp_object_t object;
} REFERENCES[] = {
    {STR_INIT("ref/prompt"), STR_INIT("name"), MCP_ON_PROMPT},
    {STR_INIT("ref/resource"), STR_INIT("uri"), MCP_ON_RESOURCE},
};

/* Members that decide here or upstream; a reader that folds case must not find another one. */
static const str_t ROOT_MEMBERS[] = {STR_INIT("jsonrpc"), STR_INIT("id"),     STR_INIT("method"),
                                     STR_INIT("params"),  STR_INIT("result"), STR_INIT("error")};
static const str_t PARAMS_MEMBERS[] = {
    STR_INIT("name"),  STR_INIT("uri"),   STR_INIT("arguments"),     STR_INIT("ref"),
    STR_INIT("task"),  STR_INIT("_meta"), STR_INIT("notifications"), STR_INIT("protocolVersion"),
    STR_INIT("taskId")};
static const str_t META_MEMBERS[] = {STR_INIT(META_VERSION), STR_INIT(META_CAPABILITIES)};
static const str_t REF_MEMBERS[] = {STR_INIT("type"), STR_INIT("name"), STR_INIT("uri")};
static const str_t FILTER_MEMBERS[] = {STR_INIT("resourceSubscriptions")};

#define COUNT(v) (sizeof(v) / sizeof *(v))

/* One letter of `key`, folded as Unicode's simple folding does where the result is ASCII: the long
 * s and the Kelvin sign are the only ones beyond ASCII. 0 for what folds to no ASCII. */
static unsigned char fold_next(str_t *key)
{
    static const struct {
        str_t bytes;
        unsigned char folded;
    } BEYOND[] = {{STR_INIT("\xc5\xbf"), 's'}, {STR_INIT("\xe2\x84\xaa"), 'k'}};
    unsigned char c = (unsigned char)key->p[0];
    if (c < 0x80) {
        *key = str_skip(*key, 1);
        return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
    }
    for (size_t i = 0; i < COUNT(BEYOND); i++) {
        if (!str_starts(*key, BEYOND[i].bytes))
            continue;
        *key = str_skip(*key, BEYOND[i].bytes.n);
        return BEYOND[i].folded;
    }
    return 0;
}

static bool is_ascii(str_t s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return all < 0x80;
}

static bool folds_to(str_t key, str_t name)
{
    while (name.n > 0 && key.n > 0) {
        if (fold_next(&key) != fold_next(&name))
            return false;
    }
    return key.n == 0 && name.n == 0;
}

bool mcp_is_twin(str_t key, str_t name)
{
    return !str_eq(key, name) && folds_to(key, name);
}

static bool has_twins(const json_t *object, const str_t *names, size_t n)
{
    if (!json_is(object, JSON_OBJECT))
        return false;
    for (const json_t *m = object->child; m; m = m->next) {
        bool ascii = is_ascii(m->key);
        for (size_t i = 0; i < n; i++) {
            /* Every message comes by here: most keys have another length. */
            if (ascii && m->key.n != names[i].n)
                continue;
            if (mcp_is_twin(m->key, names[i]))
                return true;
        }
    }
    return false;
}

bool mcp_member_has_twin(const json_t *object, str_t name)
{
    return has_twins(object, &name, 1);
}

static mcp_error_t check_members(const mcp_message_t *m)
{
    const json_t *p = m->params;
    if (has_twins(m->root, ROOT_MEMBERS, COUNT(ROOT_MEMBERS)) ||
        has_twins(p, PARAMS_MEMBERS, COUNT(PARAMS_MEMBERS)) ||
        has_twins(json_get(p, STR("_meta")), META_MEMBERS, COUNT(META_MEMBERS)) ||
        has_twins(json_get(p, STR("ref")), REF_MEMBERS, COUNT(REF_MEMBERS)) ||
        has_twins(json_get(p, STR("notifications")), FILTER_MEMBERS, COUNT(FILTER_MEMBERS)))
        return MCP_ERROR_AMBIGUOUS;
    bool answers = json_get(m->root, STR("result")) || json_get(m->root, STR("error"));
    return m->kind != MCP_RESPONSE && answers ? MCP_ERROR_AMBIGUOUS : MCP_NO_ERROR;
}

static bool is_initialize(const mcp_operation_t *o)
{
    return o->message.kind == MCP_REQUEST && str_eq(o->message.method, STR("initialize"));
}

/* Both sides of what is said about the revision. */
typedef struct {
    size_t headers; /* how many fields */
    str_t header;
    const json_t *meta; /* NULL: not stated */
} stated_t;

static stated_t stated_version(mcp_fields_t fields, const mcp_message_t *m)
{
    stated_t s;
    s.headers = mcp_field_find(fields, STR("MCP-Protocol-Version"), &s.header);
    s.meta = json_get(json_get(m->params, STR("_meta")), STR(META_VERSION));
    return s;
}

static mcp_error_t unsupported(mcp_operation_t *o, str_t asked, mcp_versions_t offered)
{
    o->asked = asked;
    o->offered = offered;
    return MCP_ERROR_UNSUPPORTED_VERSION;
}

/* A revision of the handshake era that _meta states counts as such: what the header has to say is
 * the same, and whoever serves it may refuse it. */
static mcp_error_t read_stated_version(const stated_t *s, mcp_operation_t *o)
{
    if (!json_is(s->meta, JSON_STRING))
        return MCP_ERROR_BAD_META;
    if (s->headers != 1 || !str_eq(s->header, s->meta->str))
        return MCP_ERROR_HEADER_MISMATCH;
    o->version = mcp_version_find(mcp_versions(), s->header);
    return o->version ? MCP_NO_ERROR : unsupported(o, s->header, mcp_versions_stateless());
}

static mcp_error_t read_header_version(const stated_t *s, mcp_operation_t *o)
{
    if (s->headers > 1)
        return MCP_ERROR_REPEATED_HEADER;
    o->version = s->headers ? mcp_version_find(mcp_versions(), s->header) : mcp_version_assumed();
    bool stateless = o->version && o->version->era == MCP_ERA_STATELESS;
    /* Only requests have to state it in the body. */
    if (stateless && o->message.kind == MCP_REQUEST)
        return MCP_ERROR_BAD_META;
    if (o->version || is_initialize(o))
        return MCP_NO_ERROR;
    return unsupported(o, s->header, mcp_versions());
}

static mcp_error_t read_version(mcp_fields_t fields, mcp_operation_t *o)
{
    stated_t s = stated_version(fields, &o->message);
    mcp_error_t e = s.meta ? read_stated_version(&s, o) : read_header_version(&s, o);
    o->era = o->version ? o->version->era : MCP_ERA_HANDSHAKE;
    return e;
}

/* What a request of the stateless era cannot be (2026-07-28, changelog): its servers answer 404,
 * and no server that still knows the method may be asked past the rules for what it names. */
static bool is_removed(str_t method)
{
    static const str_t REMOVED[] = {STR_INIT("initialize"), STR_INIT("ping"),
                                    STR_INIT("logging/setLevel"), STR_INIT("resources/subscribe"),
                                    STR_INIT("resources/unsubscribe")};
    for (size_t i = 0; i < COUNT(REMOVED); i++) {
        if (str_eq(REMOVED[i], method))
            return true;
    }
    return false;
}

/* What every request of the stateless era has, and what no client of it sends. */
static mcp_error_t check_stateless(const mcp_operation_t *o)
{
    if (o->message.kind == MCP_RESPONSE)
        return MCP_ERROR_CLIENT_RESPONSE;
    const json_t *meta = json_get(o->message.params, STR("_meta"));
    bool needed = o->message.kind == MCP_REQUEST;
    if (needed && !json_is(json_get(meta, STR(META_CAPABILITIES)), JSON_OBJECT))
        return MCP_ERROR_BAD_META;
    return needed && is_removed(o->message.method) ? MCP_ERROR_REMOVED_METHOD : MCP_NO_ERROR;
}

static mcp_error_t read_initialize(mcp_operation_t *o)
{
    str_t asked = json_get_str(o->message.params, STR("protocolVersion"));
    if (!asked.p)
        return MCP_ERROR_BAD_INITIALIZE;
    o->version = mcp_version_negotiate(asked);
    return MCP_NO_ERROR;
}

/* Control characters end or split a name somewhere, never everywhere. */
static bool is_name(str_t s)
{
    if (s.n == 0 || s.n > MCP_NAME_BYTES)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return true;
}

static const method_row_t *method_row(str_t method)
{
    for (size_t i = 0; i < COUNT(METHODS); i++) {
        if (str_eq(METHODS[i].method, method))
            return &METHODS[i];
    }
    return NULL;
}

str_t mcp_name_member(str_t method)
{
    const method_row_t *row = method_row(method);
    return row && row->named ? row->member : STR_UNSET;
}

static mcp_error_t read_named(const method_row_t *row, mcp_operation_t *o)
{
    str_t name = json_get_str(o->message.params, row->member);
    if (!is_name(name))
        return row->error;
    o->object = row->object;
    o->name = name;
    if (!row->arguments)
        return MCP_NO_ERROR;
    o->arguments = json_get(o->message.params, STR("arguments"));
    bool good = !o->arguments || json_is(o->arguments, JSON_OBJECT);
    return good ? MCP_NO_ERROR : MCP_ERROR_BAD_ARGUMENTS;
}

static mcp_error_t read_reference(mcp_operation_t *o)
{
    const json_t *ref = json_get(o->message.params, STR("ref"));
    str_t type = json_get_str(ref, STR("type"));
    for (size_t i = 0; i < COUNT(REFERENCES); i++) {
        if (!str_eq(REFERENCES[i].type, type))
            continue;
        o->object = REFERENCES[i].object;
        o->name = json_get_str(ref, REFERENCES[i].member);
        return is_name(o->name) ? MCP_NO_ERROR : MCP_ERROR_BAD_REFERENCE;
    }
    return MCP_ERROR_BAD_REFERENCE;
}

static mcp_error_t read_uris(arena_t *a, const json_t *list, str_list_t *out, rc_t *rc)
{
    if (!json_is(list, JSON_ARRAY) || list->count > MCP_LISTEN_RESOURCES)
        return MCP_ERROR_BAD_FILTER;
    str_t *v = ARENA_ARRAY(a, list->count + 1, str_t);
    if (!v) {
        *rc = RC_MEMORY;
        return MCP_ERROR_INTERNAL;
    }
    *out = (str_list_t){v, list->count};
    for (const json_t *uri = list->child; uri; uri = uri->next) {
        if (!json_is(uri, JSON_STRING) || !is_name(uri->str))
            return MCP_ERROR_BAD_FILTER;
        *v++ = uri->str;
    }
    return MCP_NO_ERROR;
}

static mcp_error_t read_filter(arena_t *a, mcp_operation_t *o, rc_t *rc)
{
    const json_t *filter = json_get(o->message.params, STR("notifications"));
    if (filter && !json_is(filter, JSON_OBJECT))
        return MCP_ERROR_BAD_FILTER;
    const json_t *list = json_get(filter, STR("resourceSubscriptions"));
    return list ? read_uris(a, list, &o->resources, rc) : MCP_NO_ERROR;
}

static mcp_error_t read_object(arena_t *a, mcp_operation_t *o, rc_t *rc)
{
    str_t method = o->message.method;
    if (o->message.kind == MCP_RESPONSE)
        return MCP_NO_ERROR;
    if (o->message.kind == MCP_NOTIFICATION)
        return str_starts(method, STR("notifications/")) ? MCP_NO_ERROR
                                                         : MCP_ERROR_BAD_NOTIFICATION;
    if (is_initialize(o) && o->era == MCP_ERA_HANDSHAKE)
        return read_initialize(o);
    if (str_eq(method, STR("completion/complete")))
        return read_reference(o);
    if (str_eq(method, STR("subscriptions/listen")))
        return read_filter(a, o, rc);
    const method_row_t *row = method_row(method);
    return row && row->object != MCP_ON_METHOD ? read_named(row, o) : MCP_NO_ERROR;
}

static bool is_needed(const mcp_operation_t *o, bool named)
{
    return named && o->era == MCP_ERA_STATELESS && o->message.kind == MCP_REQUEST;
}

/* Method names are tokens and never encoded. */
static mcp_error_t check_method_field(mcp_fields_t fields, const mcp_operation_t *o)
{
    str_t value;
    size_t n = mcp_field_find(fields, STR("Mcp-Method"), &value);
    if (n == 0)
        return is_needed(o, true) ? MCP_ERROR_HEADER_MISMATCH : MCP_NO_ERROR;
    return n == 1 && str_eq(value, o->message.method) ? MCP_NO_ERROR : MCP_ERROR_HEADER_MISMATCH;
}

static mcp_error_t check_name_field(arena_t *a, mcp_fields_t fields, const mcp_operation_t *o,
                                    rc_t *rc)
{
    str_t value, text;
    const method_row_t *row = method_row(o->message.method);
    size_t n = mcp_field_find(fields, STR("Mcp-Name"), &value);
    if (n == 0)
        return row && is_needed(o, row->named) ? MCP_ERROR_HEADER_MISMATCH : MCP_NO_ERROR;
    rc_t decoded = mcp_field_decode(a, value, &text);
    if (decoded == RC_MEMORY)
        *rc = RC_MEMORY;
    if (n != 1 || decoded != RC_OK)
        return MCP_ERROR_HEADER_MISMATCH;
    /* Where no member of the body is repeated the field has no meaning to differ from. */
    if (!row)
        return MCP_NO_ERROR;
    str_t said = json_get_str(o->message.params, row->member);
    return said.p && str_eq(text, said) ? MCP_NO_ERROR : MCP_ERROR_HEADER_MISMATCH;
}

/* What comes before the fields that name things. */
static mcp_error_t read_frame(mcp_fields_t fields, mcp_operation_t *o)
{
    mcp_error_t e = check_members(&o->message);
    if (e == MCP_NO_ERROR)
        e = read_version(fields, o);
    if (e == MCP_NO_ERROR && o->era == MCP_ERA_STATELESS)
        e = check_stateless(o);
    return e;
}

static mcp_error_t read_operation(arena_t *a, mcp_fields_t fields, mcp_operation_t *o, rc_t *rc)
{
    mcp_error_t e = read_frame(fields, o);
    if (e == MCP_NO_ERROR)
        e = check_method_field(fields, o);
    if (e == MCP_NO_ERROR)
        e = check_name_field(a, fields, o, rc);
    return e == MCP_NO_ERROR ? read_object(a, o, rc) : e;
}

mcp_error_t mcp_operation_read(arena_t *a, mcp_fields_t fields, str_t body, mcp_operation_t *out,
                               rc_t *rc)
{
    *out = (mcp_operation_t){.object = MCP_ON_METHOD, .name = STR_UNSET};
    mcp_error_t e = mcp_message_parse(a, body, &out->message, rc);
    if (e == MCP_NO_ERROR)
        e = read_operation(a, fields, out, rc);
    return *rc == RC_OK ? e : MCP_ERROR_INTERNAL;
}

/* Where there are no fields, the body's own word on the revision is as good as both. */
static mcp_fields_t fields_of_line(const mcp_message_t *m, mcp_field_t *version)
{
    stated_t s = stated_version((mcp_fields_t){NULL, 0}, m);
    if (!json_is(s.meta, JSON_STRING))
        return (mcp_fields_t){NULL, 0};
    *version = (mcp_field_t){STR("MCP-Protocol-Version"), s.meta->str};
    return (mcp_fields_t){version, 1};
}

mcp_error_t mcp_operation_read_line(arena_t *a, str_t line, mcp_operation_t *out, rc_t *rc)
{
    mcp_field_t version;
    *out = (mcp_operation_t){.object = MCP_ON_METHOD, .name = STR_UNSET};
    mcp_error_t e = mcp_message_parse(a, line, &out->message, rc);
    if (e == MCP_NO_ERROR)
        e = read_frame(fields_of_line(&out->message, &version), out);
    if (e == MCP_NO_ERROR)
        e = read_object(a, out, rc);
    return *rc == RC_OK ? e : MCP_ERROR_INTERNAL;
}

mcp_error_t mcp_operation_read_bare(mcp_fields_t fields, const mcp_version_t **out)
{
    str_t value;
    size_t n = mcp_field_find(fields, STR("MCP-Protocol-Version"), &value);
    *out = n == 0 ? mcp_version_assumed() : mcp_version_find(mcp_versions(), value);
    if (n > 1)
        return MCP_ERROR_REPEATED_HEADER;
    if (!*out)
        return MCP_ERROR_UNSUPPORTED_VERSION;
    return (*out)->era == MCP_ERA_STATELESS ? MCP_ERROR_STATELESS_METHOD : MCP_NO_ERROR;
}
