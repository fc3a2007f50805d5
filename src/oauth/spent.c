#include "oauth/spent.h"

void oauth_spent_add(const oauth_spent_t *seen, const spent_t *spent, int64_t now,
                     effects_t *effects)
{
    effect_t *e = effects_add(effects, EFFECT_SPEND, now);
    e->u.spent = spent;
    e->quota.max_rows = seen->max;
}
