/* Keywords about the value itself (2020-12 validation, section 6). */
#include "mcp/schema_check.h"

static bool is_of(const json_t *value, unsigned types)
{
    if (types & 1u << value->type)
        return true;
    if (!(types & TYPE_INTEGER) || value->type != JSON_NUMBER)
        return false;
    schema_number_t number = schema_number(value->raw);
    return schema_number_is_integer(&number);
}

rc_t schema_check_type(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    return is_of(f->value, f->rule->types) ? RC_OK : schema_fault(c, f, fits, NULL);
}

rc_t schema_check_enum(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool equal = false;
    for (const json_t *v = f->rule->value->child; v && !equal; v = v->next)
        TRY(schema_equal(c, f->value, v, &equal));
    return equal ? RC_OK : schema_fault_choice(c, f, fits);
}

rc_t schema_check_const(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool equal;
    TRY(schema_equal(c, f->value, f->rule->value, &equal));
    return equal ? RC_OK : schema_fault_choice(c, f, fits);
}

/* Of the value against the limit, by value. Long numbers take longer. */
static rc_t compare(schema_checker_t *c, const schema_frame_t *f, int *order)
{
    TRY(schema_spend(c, f->value->raw.n / 64));
    schema_number_t number = schema_number(f->value->raw);
    *order = schema_number_cmp(&number, &f->rule->number);
    return RC_OK;
}

rc_t schema_check_minimum(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    int order;
    TRY(compare(c, f, &order));
    bool exclusive = f->rule->id == SCHEMA_EXCLUSIVE_MINIMUM;
    return order > 0 || (order == 0 && !exclusive) ? RC_OK : schema_fault(c, f, fits, NULL);
}

rc_t schema_check_maximum(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    int order;
    TRY(compare(c, f, &order));
    bool exclusive = f->rule->id == SCHEMA_EXCLUSIVE_MAXIMUM;
    return order < 0 || (order == 0 && !exclusive) ? RC_OK : schema_fault(c, f, fits, NULL);
}

rc_t schema_check_multiple(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    TRY(schema_spend(c, f->value->raw.n / 64));
    schema_number_t number = schema_number(f->value->raw);
    bool divides = schema_number_divides(&number, &f->rule->number);
    return divides ? RC_OK : schema_fault(c, f, fits, NULL);
}

static size_t characters(str_t s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += (s.p[i] & 0xc0) != 0x80;
    return n;
}

/* Of strings, lists and objects alike; the name of the keyword begins with min or max. */
rc_t schema_check_length(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    size_t n = f->value->type == JSON_STRING ? characters(f->value->str) : f->value->count;
    bool least = str_starts(SCHEMA_KEYWORD[f->rule->id].name, STR("min"));
    bool right = least ? n >= f->rule->count : n <= f->rule->count;
    return right ? RC_OK : schema_fault(c, f, fits, NULL);
}

rc_t schema_check_pattern(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    bool matches;
    TRY(mcp_pattern_match(f->rule->pattern, f->value->str, &c->steps, &matches));
    return matches ? RC_OK : schema_fault(c, f, fits, NULL);
}

rc_t schema_check_format(schema_checker_t *c, schema_frame_t *f, bool *fits)
{
    if (!f->rule->format || f->rule->format(f->value->str))
        return RC_OK;
    return schema_fault(c, f, fits, NULL);
}
