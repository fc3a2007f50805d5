#include "conf/conf_redirect.h"

#include "core/host_list.h"

/* What no setting may allow; the decisions refuse more of them, whatever stands here. */
static const str_t NEVER[] = {STR_INIT("http"), STR_INIT("https"), STR_INIT("javascript"),
                              STR_INIT("data"), STR_INIT("file"),  STR_INIT("vbscript"),
                              STR_INIT("blob"), STR_INIT("about")};

static rc_t refuse(arena_t *a, const conf_raw_t *raw, str_t key, str_t word, const char *mend,
                   str_t *why)
{
    size_t row = conf_row_find(key);
    str_t shown = conf_shown(a, word);
    return conf_refuse(a, &CONF_ROWS[row], &raw[row],
                       arena_printf(a, "'%" PRIstr "' %s", STR_ARG(shown), mend), why);
}

static rc_t check_hosts(arena_t *a, const conf_raw_t *raw, str_t key, str_list_t hosts, str_t *why)
{
    for (size_t i = 0; i < hosts.n; i++)
        if (!host_list_row_is_sound(hosts.v[i]))
            return refuse(a, raw, key, hosts.v[i],
                          "is no host such as example.com, *.example.com or localhost:8443", why);
    return RC_OK;
}

/* RFC 3986 section 3.1 */
static bool is_scheme(str_t s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && (i == 0 || !other))
            return false;
    }
    return s.n > 0;
}

static bool is_never(str_t scheme)
{
    for (size_t i = 0; i < sizeof NEVER / sizeof NEVER[0]; i++)
        if (str_eq_nocase(NEVER[i], scheme))
            return true;
    return false;
}

static rc_t check_schemes(arena_t *a, const conf_raw_t *raw, str_list_t schemes, str_t *why)
{
    for (size_t i = 0; i < schemes.n; i++) {
        if (!is_scheme(schemes.v[i]))
            return refuse(a, raw, STR("redirect_schemes"), schemes.v[i],
                          "is no scheme such as cursor or com.example.app", why);
        if (is_never(schemes.v[i]))
            return refuse(a, raw, STR("redirect_schemes"), schemes.v[i],
                          "is no private-use scheme of an application", why);
    }
    return RC_OK;
}

rc_t conf_check_redirects(arena_t *a, const conf_raw_t *raw, const conf_t *conf, str_t *why)
{
    TRY(check_hosts(a, raw, STR("redirect_hosts"), conf->redirect_hosts, why));
    TRY(check_hosts(a, raw, STR("redirect_denied_hosts"), conf->redirect_denied_hosts, why));
    return check_schemes(a, raw, conf->redirect_schemes, why);
}
