/* A table of names and a text: the first line is the text, the rest the table. */
#include "names.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(64 << 20);
    str_t rest = str_of(data, size), text = STR("");
    names_t names;
    names_found_t found = {0};
    size_t line;
    if (!a)
        return 0;
    str_split(&rest, '\n', &text);
    rc_t rc = names_read(a, rest, &names, &line);
    if (rc == RC_OK)
        rc = names_in_text(a, &names, text, 0.5, &found);
    if (rc == RC_OK)
        names_in_category(a, &names, text, false, &found);
    for (size_t i = 0; i < found.n; i++) {
        if (!names_is_ticker(found.v[i].ticker))
            abort();
    }
    news_html(a, text, 100);
    str_t time = news_date(a, text);
    if (time.p && !str_eq(news_time(a, time), time))
        abort();
    arena_free(a);
    return 0;
}
