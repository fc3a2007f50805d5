#include "articles_db.h"

/* A telling that is grouped under another one leads to the one that is shown. */
static rc_t find_id(desk_t *d, str_t url, int64_t *out)
{
    static const char SQL[] = "SELECT CASE lead WHEN 0 THEN id ELSE lead END FROM articles WHERE "
                              "url = ? ORDER BY id DESC LIMIT 1";
    return desk_number(d, SQL, ARGS(A_T(url)), out);
}

rc_t articles_by_url(articles_t *s, arena_t *a, str_t url, articles_hit_t *out)
{
    int64_t id = 0;
    desk_t *d = desk_read(s);
    rc_t rc = desk_log(s, d, find_id(d, url, &id));
    desk_back(s, d);
    return rc == RC_OK ? articles_get(s, a, id, out) : rc;
}
