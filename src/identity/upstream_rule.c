#include "identity/upstream_rule.h"

static str_t claim_of(str_t row)
{
    return str_first(row, str_find(row, '=', 0));
}

static str_t value_of(str_t row)
{
    return str_skip(row, str_find(row, '=', 0) + 1);
}

bool identity_upstream_rule_is_sound(str_t row)
{
    size_t equals = str_find(row, '=', 0);
    str_t value = value_of(row);
    return equals > 0 && equals < row.n && value.n > 0 && !str_eq(value, STR("*"));
}

static bool same(str_t a, str_t b, bool without_case)
{
    return without_case ? str_eq_nocase(a, b) : str_eq(a, b);
}

static bool text_fits(str_t wanted, str_t text, bool without_case)
{
    if (!str_is_set(text))
        return false;
    if (wanted.p[0] != '*')
        return same(wanted, text, without_case);
    str_t end = str_skip(wanted, 1);
    return text.n > end.n && same(str_skip(text, text.n - end.n), end, without_case);
}

static bool is_mail(str_t claim)
{
    return str_eq(claim, STR("email"));
}

static bool row_fits(str_t row, const json_t *claims)
{
    str_t claim = claim_of(row), wanted = value_of(row);
    const json_t *value = json_get(claims, claim);
    bool verified = false;
    if (is_mail(claim) && !(json_get_bool(claims, STR("email_verified"), &verified) && verified))
        return false;
    if (json_is(value, JSON_STRING))
        return text_fits(wanted, value->str, is_mail(claim));
    if (!json_is(value, JSON_ARRAY))
        return false;
    for (const json_t *one = value->child; one; one = one->next)
        if (json_is(one, JSON_STRING) && text_fits(wanted, one->str, is_mail(claim)))
            return true;
    return false;
}

/* Whether some row about the same claim fits. */
static bool claim_fits(str_list_t rows, str_t claim, const json_t *claims)
{
    for (size_t i = 0; i < rows.n; i++)
        if (str_eq(claim_of(rows.v[i]), claim) && row_fits(rows.v[i], claims))
            return true;
    return false;
}

bool identity_upstream_is_allowed(str_list_t rows, const json_t *claims)
{
    for (size_t i = 0; i < rows.n; i++)
        if (!identity_upstream_rule_is_sound(rows.v[i]) ||
            !claim_fits(rows, claim_of(rows.v[i]), claims))
            return false;
    return true;
}
