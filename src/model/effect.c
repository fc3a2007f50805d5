#include "model/effect.h"

#include <assert.h>

effect_t *effects_add(effects_t *list, effect_kind_t kind, int64_t at)
{
    assert(list->n < EFFECTS_MAX);
    effect_t *e = &list->v[list->n++];
    *e = (effect_t){.kind = kind, .at = at};
    return e;
}
