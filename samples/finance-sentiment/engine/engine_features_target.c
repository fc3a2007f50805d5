#include "engine_features.h"

/* Kinds of features that are seen from the target; variants of a kind lie VARIANT apart. */
enum {
    KIND_SIDE = 10001,
    KIND_NEAR,
    KIND_PAIR,
    KIND_ROLE,
    KIND_RULE,
    KIND_RULE_WORD,
    KIND_SUM,
    KIND_NEAREST,
    KIND_PLACE,
    KIND_EDGE,
    KIND_AROUND,
    KIND_NAME,
    VARIANT = 1024
};

enum { NEAR = 3, NO_FINDING = 99, ELSEWHERE = 100, BESIDE = 1 };

/* Where a token stands, seen from the target. */
typedef struct {
    uint32_t where;    /* bit 0: behind it; bit 1: in its clause */
    uint32_t distance; /* 1 to 3 tokens, 4 up to 6, 5 beyond */
    size_t tokens;
} view_t;

static view_t view(const features_t *f, place_t p, size_t i)
{
    const token_t *t = f->reading->tokens.v;
    bool before = i < p.from, within = i >= p.from && i <= p.to;
    size_t edge = before ? p.from : p.to;
    size_t d = within ? 0 : before ? p.from - i : i - p.to;
    return (view_t){.where = !before + 2U * (t[i].piece == t[edge].piece),
                    .distance = d <= NEAR ? (uint32_t)d
                                : d < 7   ? 4
                                          : 5,
                    .tokens = d};
}

static void add(features_t *f, uint32_t kind, uint32_t x, size_t i)
{
    features_add(f, FAMILY_TARGET, features_mix(kind * 31, x), i, i);
}

static bool in_place(place_t p, size_t i)
{
    return i >= p.from && i <= p.to;
}

static void add_seen(features_t *f, unit_t unit, place_t p, size_t i)
{
    view_t v = view(f, p, i);
    uint32_t role = features_role(f->reading, i);
    uint32_t far = (v.where & 1) + 2 * v.distance;
    add(f, KIND_SIDE + v.where * VARIANT, f->ids[i], i);
    if (v.tokens <= NEAR)
        add(f, KIND_NEAR + far * VARIANT, f->ids[i], i);
    if (role != 0) {
        add(f, KIND_ROLE + v.where * VARIANT, role, i);
        add(f, KIND_ROLE + (8 + v.where + 4 * v.distance) * VARIANT, role, i);
    }
    size_t k = i + 1;
    if (k < unit.to && f->ids[k] != 0 && !in_place(p, k))
        add(f, KIND_PAIR + v.where * VARIANT, features_mix(f->ids[i], f->ids[k]), i);
}

/* What the rules found on each side, in the target's clause and beyond it, and what is nearest. */
static void add_findings(features_t *f, unit_t unit, place_t p)
{
    const reading_t *r = f->reading;
    double sums[4] = {0};
    size_t i, end = features_findings(r, unit, &i), least = SIZE_MAX;
    uint32_t nearest = NO_FINDING;
    for (; i < end; i++) {
        const finding_t *x = &r->found[i];
        view_t v = view(f, p, x->anchor);
        uint32_t strength = features_strength(x->weight), good = x->weight > 0;
        sums[v.where] += x->weight;
        add(f, KIND_RULE + v.where * VARIANT, strength, x->anchor);
        add(f, KIND_RULE + (8 + v.where + 4 * v.distance) * VARIANT, strength, x->anchor);
        add(f, KIND_RULE_WORD + (v.where + 8 * good) * VARIANT, f->ids[x->anchor], x->anchor);
        size_t d = v.tokens + (v.where & 2 ? 0 : ELSEWHERE) + (v.where & 1 ? 0 : 2 * BESIDE);
        if (x->weight != 0 && d < least) {
            least = d;
            nearest = strength;
        }
    }
    for (uint32_t k = 0; k < 4; k++)
        add(f, KIND_SUM + k * VARIANT, features_strength(sums[k]), p.from);
    uint32_t both = features_strength(sums[3]) * 16 + features_strength(sums[2]);
    add(f, KIND_SUM + 4 * VARIANT, features_strength(sums[2] + sums[3]), p.from);
    add(f, KIND_SUM + 5 * VARIANT, both, p.from);
    add(f, KIND_NEAREST, nearest, p.from);
}

/* The word at i, or its punctuation; 1 beyond the unit. */
static uint32_t word_at(const features_t *f, unit_t unit, size_t i)
{
    if (i < unit.from || i >= unit.to)
        return 1;
    return f->ids[i] != 0 ? f->ids[i] : (uint8_t)f->reading->tokens.v[i].punct;
}

static uint32_t up_to_three(uint32_t n)
{
    return n < 3 ? n : 3;
}

static void add_place(features_t *f, unit_t unit, place_t p)
{
    const token_t *t = f->reading->tokens.v;
    uint32_t before = up_to_three(t[p.from].piece - t[unit.from].piece);
    uint32_t behind = up_to_three(t[unit.to - 1].piece - t[p.to].piece);
    uint32_t left = word_at(f, unit, p.from - 1), right = word_at(f, unit, p.to + 1);
    add(f, KIND_PLACE, before, p.from);
    add(f, KIND_PLACE + VARIANT, behind, p.from);
    add(f, KIND_PLACE + 2 * VARIANT, before * 4 + behind, p.from);
    add(f, KIND_PLACE + 3 * VARIANT, p.from == unit.from, p.from);
    add(f, KIND_PLACE + 4 * VARIANT, p.to + 1 == unit.to, p.from);
    add(f, KIND_EDGE, left, p.from);
    add(f, KIND_EDGE + VARIANT, right, p.from);
    add(f, KIND_AROUND, features_mix(left, right), p.from);
    add(f, KIND_AROUND + VARIANT, features_mix(word_at(f, unit, p.from - 2), left), p.from);
    add(f, KIND_AROUND + 2 * VARIANT, features_mix(right, word_at(f, unit, p.to + 2)), p.from);
}

/* Exchanges and analysts are named without being judged; that is learned by their names. */
static void add_name(features_t *f, place_t p)
{
    uint32_t name = 0;
    for (size_t i = p.from; i <= p.to; i++) {
        name = features_mix(name, f->ids[i]);
        add(f, KIND_NAME, f->ids[i], i);
    }
    add(f, KIND_NAME + VARIANT, name, p.from);
}

void features_of_target(features_t *f, unit_t unit, place_t p)
{
    add_place(f, unit, p);
    add_name(f, p);
    for (size_t i = unit.from; i < unit.to; i++) {
        if (f->ids[i] != 0 && !in_place(p, i))
            add_seen(f, unit, p, i);
    }
    add_findings(f, unit, p);
}
