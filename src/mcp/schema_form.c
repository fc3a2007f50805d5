/* What forms may ask (MCP 2025-11-25 and 2026-07-28, client/elicitation, "Requested Schema"): flat
 * objects of strings, numbers, booleans and choices, so that any client can draw them. Keywords
 * that no such schema has are refused; annotations are not looked at. */
#include "mcp/schema_read.h"

typedef struct {
    str_t type;
    const char *allowed; /* keywords, each between spaces */
} kind_t;

static const kind_t KINDS[] = {
    {STR_INIT("string"), " type minLength maxLength pattern format enum oneOf "},
    {STR_INIT("number"), " type minimum maximum "},
    {STR_INIT("integer"), " type minimum maximum "},
    {STR_INIT("boolean"), " type "},
    {STR_INIT("array"), " type minItems maxItems items "},
};
static const char ROOT[] = " type properties required additionalProperties ";
static const char CHOICE[] = " const ";
static const char PLAIN_ITEMS[] = " type enum ";
static const char TITLED_ITEMS[] = " anyOf oneOf ";

static bool is_allowed(const char *allowed, str_t name)
{
    for (const char *at = allowed; (at = strstr(at, " ")) && at[1]; at++)
        if (strncmp(at + 1, name.p, name.n) == 0 && at[1 + name.n] == ' ')
            return true;
    return false;
}

/* Refuses members that are keywords and not among those allowed. */
static rc_t only(schema_reader_t *r, const json_t *schema, const char *allowed)
{
    if (schema->type != JSON_OBJECT)
        return schema_config(r, schema, "this must be an object");
    for (schema_keyword_id_t id = 0; id < SCHEMA_KEYWORDS; id++) {
        str_t name = SCHEMA_KEYWORD[id].name;
        const json_t *v = json_get(schema, name);
        if (v && !is_allowed(allowed, name))
            return schema_config(r, v, "%" PRIstr " is not for forms, or not here", STR_ARG(name));
    }
    return RC_OK;
}

static rc_t check_list(schema_reader_t *r, const json_t *list, bool constants)
{
    if (list->type != JSON_ARRAY || list->count == 0)
        return schema_config(r, list, "a choice is a list of at least one string");
    for (const json_t *v = list->child; v; v = v->next) {
        const json_t *choice = constants ? json_get(v, STR("const")) : v;
        if (constants)
            TRY(only(r, v, CHOICE));
        if (!json_is(choice, JSON_STRING))
            return schema_config(r, v, "a choice is among strings");
    }
    return RC_OK;
}

/* enum, or oneOf (in lists anyOf) of constants with titles. */
static rc_t check_choices(schema_reader_t *r, const json_t *schema)
{
    static const str_t NAMES[] = {STR_INIT("enum"), STR_INIT("oneOf"), STR_INIT("anyOf")};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const json_t *list = json_get(schema, NAMES[i]);
        if (list)
            TRY(check_list(r, list, i > 0));
    }
    return RC_OK;
}

static rc_t check_items(schema_reader_t *r, const json_t *list)
{
    const json_t *items = json_get(list, STR("items"));
    if (!items)
        return schema_config(r, list, "a list in a form says in items what may be chosen");
    bool titled = json_get(items, STR("anyOf")) || json_get(items, STR("oneOf"));
    TRY(only(r, items, titled ? TITLED_ITEMS : PLAIN_ITEMS));
    if (!titled && !json_get(items, STR("enum")))
        return schema_config(r, items, "lists in forms are choices among strings");
    if (!titled && !str_eq(json_get_str(items, STR("type")), STR("string")))
        return schema_config(r, items, "lists in forms are of strings");
    return check_choices(r, items);
}

static rc_t check_format(schema_reader_t *r, const json_t *field)
{
    const json_t *format = json_get(field, STR("format"));
    if (!format || (format->type == JSON_STRING && schema_format(format->str)))
        return RC_OK;
    return schema_config(r, format, "formats of forms are email, uri, date and date-time");
}

static rc_t check_field(schema_reader_t *r, const json_t *field)
{
    str_t type = json_get_str(field, STR("type"));
    const kind_t *kind = NULL;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_eq(KINDS[i].type, type))
            kind = &KINDS[i];
    if (!kind)
        return schema_config(r, field,
                             "a field of a form is a string, number, integer, boolean or choice");
    TRY(only(r, field, kind->allowed));
    if (str_eq(type, STR("array")))
        return check_items(r, field);
    TRY(check_format(r, field));
    return check_choices(r, field);
}

rc_t schema_form(schema_reader_t *r)
{
    const json_t *form = r->root, *properties = json_get(form, STR("properties"));
    TRY(only(r, form, ROOT));
    if (!str_eq(json_get_str(form, STR("type")), STR("object")))
        return schema_config(r, form, "a form has the type object");
    if (!json_is(properties, JSON_OBJECT))
        return schema_config(r, form, "a form has properties, an object");
    const json_t *additional = json_get(form, STR("additionalProperties"));
    if (additional && additional->type != JSON_TRUE && additional->type != JSON_FALSE)
        return schema_config(r, additional, "in a form this is true or false");
    for (const json_t *v = properties->child; v; v = v->next)
        TRY(check_field(r, v));
    return RC_OK;
}
