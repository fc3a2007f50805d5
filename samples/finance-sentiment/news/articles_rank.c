/* How well an article fits the words of a query. It looks at this article alone (no frequencies
 * over all), so the number stays when others come and go, and a cursor stays right. */
#include "articles_db.h"

enum { TITLE, SUMMARY, TITLE_WEIGHT = 3 };

/* Hits of one phrase, those in the title weighing more. */
static int weigh(const Fts5ExtensionApi *api, Fts5Context *f, int phrase)
{
    Fts5PhraseIter at;
    int column = -1, offset = 0, weight = 0;
    if (api->xPhraseFirst(f, phrase, &at, &column, &offset) != SQLITE_OK)
        return 0;
    for (; column >= 0; api->xPhraseNext(f, &at, &column, &offset))
        weight += column == TITLE ? TITLE_WEIGHT : column == SUMMARY ? 1 : 0;
    return weight;
}

/* Mean over the phrases of w / (w + 1): repeating a word wins little. Marks add nothing. */
static void rank(const Fts5ExtensionApi *api, Fts5Context *f, sqlite3_context *out, int n,
                 sqlite3_value **args)
{
    double sum = 0;
    int words = 0;
    (void)n;
    (void)args;
    for (int i = 0; i < api->xPhraseCount(f); i++) {
        int w = weigh(api, f, i);
        sum += (double)w / (w + 1);
        words += w > 0;
    }
    sqlite3_result_double(out, words > 0 ? sum / words : 0);
}

rc_t articles_rank_init(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(s, 1, (void *)&api, "fts5_api_ptr", NULL);
        sqlite3_step(s);
    }
    sqlite3_finalize(s);
    if (!api || api->xCreateFunction(api, "article_rank", NULL, rank, NULL) != SQLITE_OK)
        return RC_IO;
    return RC_OK;
}
