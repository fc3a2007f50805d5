/* Any bytes as a catalogue that extends ours. What is refused has its one sentence; in what is
 * taken ids are alone, and the page and the schemes can be made of it. */
#include "conf/conf_catalogue.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(64 << 20);
    const conf_catalogue_t none = {0};
    conf_catalogue_t c;
    str_list_t schemes;
    str_t why, page;
    rc_t rc = conf_catalogue_extend(a, &none, str_of(data, size), &c, &why);
    check(rc == RC_OK || (rc == RC_CONFIG && why.n > 0 && str_is_printable_ascii(why)));
    if (rc == RC_OK) {
        for (size_t i = 0; i < c.n; i++)
            for (size_t k = 0; k < i; k++)
                check(!str_eq(c.v[i].id, c.v[k].id));
        check(conf_catalogue_schemes(a, &c, &schemes) == RC_OK);
        check(!str_list_has(schemes, STR("https")));
        check(conf_catalogue_document(a, &c, &page) == RC_OK);
    }
    arena_free(a);
    return 0;
}
