#include "conf/conf_login.h"

#include "core/url.h"

static rc_t refuse(arena_t *a, const conf_raw_t *raw, const char *key, str_t mend, str_t *why)
{
    size_t row = conf_row_find(str_c(key));
    return conf_refuse(a, &CONF_ROWS[row], &raw[row], mend, why);
}

/* The mend of a URL that cannot be an issuer (OpenID Connect Core section 2), or NULL. */
static const char *issuer_mend(str_t text)
{
    url_t u;
    if (url_parse(text, &u) != RC_OK || !url_is_http(&u))
        return "give the issuer's URL, such as https://accounts.example.com";
    if (!url_is_https(&u) && !url_host_is_loopback(u.host))
        return "plain http is for loopback only: give the https URL";
    if (str_is_set(u.userinfo) || str_is_set(u.query) || str_is_set(u.fragment))
        return "leave out user, query and fragment";
    return NULL;
}

static bool has_word(str_t words, str_t word)
{
    str_t one;
    while (str_split(&words, ' ', &one))
        if (str_eq(one, word))
            return true;
    return false;
}

static rc_t check_rules(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    for (size_t i = 0; i < conf->login_allowed.n; i++) {
        str_t row = conf->login_allowed.v[i];
        size_t equals = str_find(row, '=', 0);
        str_t value = str_skip(row, equals + 1);
        if (equals == 0 || equals == row.n || value.n == 0 || str_eq(value, STR("*")))
            return refuse(a, raw, "login_allowed",
                          STR("give rows such as email=*@example.com or groups=staff"), why);
    }
    return RC_OK;
}

static rc_t check_without_issuer(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    if (!conf->login_only)
        return RC_OK;
    return refuse(a, raw, "login_only", STR("set login_issuer too, or nobody could sign in"), why);
}

rc_t conf_check_login(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    if (conf->login_issuer.n == 0)
        return check_without_issuer(a, raw, conf, why);
    const char *mend = issuer_mend(conf->login_issuer);
    if (mend)
        return refuse(a, raw, "login_issuer", str_c(mend), why);
    if (conf->login_client_id.n == 0)
        return refuse(a, raw, "login_client_id",
                      STR("give the client_id that the provider of login_issuer knows this server "
                          "by"),
                      why);
    if (!has_word(conf->login_scopes, STR("openid")))
        return refuse(a, raw, "login_scopes", STR("openid must be one of them"), why);
    return check_rules(a, raw, conf, why);
}
