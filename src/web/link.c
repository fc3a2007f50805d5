#include "web/link.h"

#include "core/limits.h"
#include "core/url.h"

/* What browsers or operating systems handle themselves. Registration refuses them as well; here
 * they would be executed in the name of our origin. */
static const str_t FOREIGN_SCHEMES[] = {
    STR_INIT("javascript"), STR_INIT("vbscript"), STR_INIT("data"),   STR_INIT("file"),
    STR_INIT("filesystem"), STR_INIT("blob"),     STR_INIT("about"),  STR_INIT("view-source"),
    STR_INIT("jar"),        STR_INIT("resource"), STR_INIT("chrome"), STR_INIT("livescript"),
    STR_INIT("mailto"),     STR_INIT("tel"),      STR_INIT("sms"),    STR_INIT("urn"),
    STR_INIT("ws"),         STR_INIT("wss"),      STR_INIT("ftp"),    STR_INIT("ftps"),
    STR_INIT("sftp"),       STR_INIT("ssh"),      STR_INIT("ldap"),   STR_INIT("ldaps"),
    STR_INIT("smb"),        STR_INIT("gopher"),   STR_INIT("telnet"), STR_INIT("intent"),
    STR_INIT("mocha"),
};

static bool is_foreign(str_t scheme)
{
    for (size_t i = 0; i < sizeof FOREIGN_SCHEMES / sizeof FOREIGN_SCHEMES[0]; i++)
        if (str_eq_nocase(FOREIGN_SCHEMES[i], scheme))
            return true;
    return false;
}

/* No control, space or byte beyond ASCII, and none of those that no part of a URI may have. */
static bool has_uri_bytes_only(str_t s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f || strchr("\"<>\\^`{|}", s.p[i]))
            return false;
    return true;
}

bool web_link_leads_away(str_t url)
{
    url_t u;
    if (url.n > LIMIT_WEB_EXACT_BYTES || !has_uri_bytes_only(url))
        return false;
    /* The query holds our answer and may be longer than what url_parse takes. */
    if (url_parse(str_first(url, str_find(url, '?', 0)), &u) != RC_OK)
        return false;
    if (str_is_set(u.userinfo) || is_foreign(u.scheme))
        return false;
    bool web = str_eq_nocase(u.scheme, STR("http")) || str_eq_nocase(u.scheme, STR("https"));
    return web ? url_is_http(&u) : u.host.n + u.path.n > 0;
}

bool web_link_is_ours(str_t href)
{
    return str_starts(href, STR("/")) && !str_starts(href, STR("//")) && has_uri_bytes_only(href);
}
