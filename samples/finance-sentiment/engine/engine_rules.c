#include "engine_rules.h"

enum { REACH_BEFORE = 7, REACH_AFTER = 4, NOWHERE = ENGINE_TOKENS };

/* A direction without a metric still tells something; a moved thing nobody named tells less. */
static const double LONE_DIRECTION = 0.85;
static const double LONE_TRANSITIVE = 0.35;
/* Losses, debts and costs that are only mentioned. */
static const double MENTIONED_BURDEN = -0.12;
static const double COMPARISON = 0.8;
static const double SIGNED_PERCENT = 0.7;

rc_t reading_open(arena_t *a, tokens_t tokens, reading_t *out)
{
    *out = (reading_t){.tokens = tokens};
    out->words = ARENA_ARRAY(a, tokens.n + 1, const lexicon_word_t *);
    out->used = ARENA_ARRAY(a, tokens.n + 1, bool);
    out->found = ARENA_ARRAY(a, tokens.n + 1, finding_t);
    if (!out->words || !out->used || !out->found)
        return RC_MEMORY;
    for (size_t i = 0; i < tokens.n; i++) {
        if (tokens.v[i].kind == TOKEN_WORD)
            out->words[i] = lexicon_find(tokens.v[i].word);
    }
    return RC_OK;
}

bool reading_is(const reading_t *r, size_t i, word_role_t role)
{
    return i < r->tokens.n && r->words[i] && r->words[i]->role == role;
}

static bool word_is(const reading_t *r, size_t i, str_t word)
{
    return i < r->tokens.n && r->tokens.v[i].kind == TOKEN_WORD &&
           str_eq(r->tokens.v[i].word, word);
}

static bool is_direction(const reading_t *r, size_t i)
{
    return reading_is(r, i, WORD_UP) || reading_is(r, i, WORD_DOWN) ||
           reading_is(r, i, WORD_RAISE) || reading_is(r, i, WORD_CUT);
}

static bool same_piece(const reading_t *r, size_t i, size_t k)
{
    return k < r->tokens.n && r->tokens.v[i].piece == r->tokens.v[k].piece;
}

/* Never more findings than tokens: each marks at least its anchor, and runs once a token. */
static void add(reading_t *r, finding_t f)
{
    if (r->found_count < r->tokens.n)
        r->found[r->found_count++] = f;
    for (size_t i = f.from; i <= f.to; i++)
        r->used[i] = true;
}

/* --- phrases --- */

/* How many tokens from i on the phrase covers; 0 if it does not stand there. */
static size_t phrase_at(const reading_t *r, size_t i, str_t phrase)
{
    str_t rest = phrase, word;
    size_t n = 0;
    while (str_split(&rest, ' ', &word)) {
        size_t k = i + n++;
        if (k >= r->tokens.n || r->used[k] || r->tokens.v[k].kind == TOKEN_PUNCT)
            return 0;
        if (!str_eq(word, STR("*")) && !str_eq(r->tokens.v[k].word, word))
            return 0;
    }
    return n;
}

static void rule_phrases(reading_t *r)
{
    for (size_t i = 0; i < r->tokens.n; i++) {
        size_t best = 0, longest = 0, count;
        const lexicon_phrase_t *all = lexicon_phrases_of(r->tokens.v[i].word, &count);
        for (size_t k = 0; k < count; k++) {
            size_t n = phrase_at(r, i, all[k].words);
            if (n > longest) {
                longest = n;
                best = k;
            }
        }
        if (longest > 0)
            add(r, (finding_t){i, i + longest - 1, i, all[best].weight, STR("phrase")});
    }
}

/* --- metrics --- */

static size_t metric_before(const reading_t *r, size_t i)
{
    for (size_t k = i; k-- > 0 && i - k <= REACH_BEFORE && same_piece(r, i, k);) {
        if (reading_is(r, k, WORD_METRIC))
            return k;
        if (is_direction(r, k) || reading_is(r, k, WORD_BUT))
            break;
    }
    return NOWHERE;
}

static size_t metric_after(const reading_t *r, size_t i, size_t reach)
{
    for (size_t k = i + 1; k <= i + reach && same_piece(r, i, k); k++) {
        if (reading_is(r, k, WORD_METRIC))
            return k;
        if (is_direction(r, k) || word_is(r, k, STR("as")) || word_is(r, k, STR("on")) ||
            word_is(r, k, STR("after")) || word_is(r, k, STR("to")))
            break;
    }
    return NOWHERE;
}

/* "net loss", "jobless claims": a burden one word before a neutral head rules the pair. */
static double polarity(const reading_t *r, size_t metric)
{
    double p = r->words[metric]->weight;
    bool pair =
        metric > 0 && reading_is(r, metric - 1, WORD_METRIC) && same_piece(r, metric, metric - 1);
    return pair && r->words[metric - 1]->weight < 0 ? -1 : p;
}

/* --- comparisons: "to 4.1m from 3.2m", "1.20 vs 1.10" --- */

static size_t number_near(const reading_t *r, size_t i, size_t reach)
{
    for (size_t k = i; k < i + reach && same_piece(r, i, k); k++) {
        if (r->tokens.v[k].kind == TOKEN_NUMBER && r->tokens.v[k].unit != UNIT_YEAR)
            return k;
    }
    return NOWHERE;
}

static bool comparable(const token_t *a, const token_t *b)
{
    if ((a->unit == UNIT_PERCENT) != (b->unit == UNIT_PERCENT))
        return false;
    return a->value != b->value;
}

static bool compares(const reading_t *r, size_t i)
{
    static const str_t WORDS[] = {STR_INIT("from"),    STR_INIT("vs"),   STR_INIT("versus"),
                                  STR_INIT("against"), STR_INIT("than"), STR_INIT("compared")};
    for (size_t k = 0; k < sizeof WORDS / sizeof *WORDS; k++) {
        if (word_is(r, i, WORDS[k]))
            return true;
    }
    return false;
}

static size_t number_before(const reading_t *r, size_t i)
{
    for (size_t k = i; k-- > 0 && i - k <= 4 && same_piece(r, i, k);) {
        if (r->tokens.v[k].kind == TOKEN_NUMBER && r->tokens.v[k].unit != UNIT_YEAR)
            return k;
    }
    return NOWHERE;
}

/* The value now and the value then around the comparing word at i. "from X to Y" turns them. */
static bool comparison_at(const reading_t *r, size_t i, size_t *now, size_t *then)
{
    *now = number_before(r, i);
    /* "vs." ends a piece by its full stop, so the number may stand one piece on. */
    size_t next = i + 1;
    if (next < r->tokens.n && r->tokens.v[next].kind == TOKEN_PUNCT)
        next++;
    *then = next < r->tokens.n ? number_near(r, next, REACH_AFTER + 2) : NOWHERE;
    if (*then == NOWHERE)
        return false;
    size_t to = *then + 1;
    if (word_is(r, i, STR("from")) && word_is(r, to, STR("to")) &&
        number_near(r, to, 3) != NOWHERE) {
        *now = number_near(r, to, 3);
        return comparable(&r->tokens.v[*now], &r->tokens.v[*then]);
    }
    return *now != NOWHERE && comparable(&r->tokens.v[*now], &r->tokens.v[*then]);
}

/* The metric of the numbers that begin at token i; a direction may stand between: "profit rose to
 * 4.1m from 3.2m". */
static size_t metric_of_numbers(const reading_t *r, size_t i)
{
    size_t metric = metric_before(r, i), k = i;
    while (metric == NOWHERE && k > 0 && i - k < REACH_BEFORE && same_piece(r, i, k - 1)) {
        if (is_direction(r, --k))
            return metric_before(r, k);
    }
    return metric;
}

static void comparison_add(reading_t *r, size_t i, size_t now, size_t then)
{
    size_t low = now < then ? now : then, high = now < then ? then : now;
    low = i < low ? i : low;
    size_t metric = metric_of_numbers(r, low), between = metric_after(r, i, REACH_AFTER);
    if (metric == NOWHERE)
        return;
    double p = polarity(r, metric),
           sign = r->tokens.v[now].value > r->tokens.v[then].value ? 1 : -1;
    bool turned = between != NOWHERE && polarity(r, between) != p;
    double weight = COMPARISON * (turned ? p : p * sign);
    finding_t f = {metric < low ? metric : low, high, now, weight, STR("comparison")};
    add(r, f);
}

static void rule_comparisons(reading_t *r)
{
    for (size_t i = 0; i < r->tokens.n; i++) {
        size_t now, then;
        if (!r->used[i] && compares(r, i) && comparison_at(r, i, &now, &then))
            comparison_add(r, i, now, then);
    }
}

/* --- directions: "profit rose", "raises guidance", "fall in costs" --- */

static bool adjectival(str_t word)
{
    return str_ends(word, STR("ing")) || str_ends(word, STR("er")) || str_ends(word, STR("ed"));
}

static size_t metric_of_direction(const reading_t *r, size_t i)
{
    bool transitive = reading_is(r, i, WORD_RAISE) || reading_is(r, i, WORD_CUT);
    bool about = word_is(r, i + 1, STR("in")) || word_is(r, i + 1, STR("of"));
    size_t after = NOWHERE;
    if (transitive || about)
        after = metric_after(r, i, REACH_AFTER + 1);
    else if (adjectival(r->tokens.v[i].word))
        after = metric_after(r, i, 2);
    return after != NOWHERE ? after : metric_before(r, i);
}

/* "raises Rs 667 crore", "to raise $12.9 billion": money taken up is no news of a metric. */
static bool raises_money(const reading_t *r, size_t i)
{
    size_t n = reading_is(r, i, WORD_RAISE) ? number_near(r, i + 1, REACH_AFTER) : NOWHERE;
    return n != NOWHERE && r->tokens.v[n].unit == UNIT_MONEY &&
           metric_after(r, i, n - i) == NOWHERE && metric_before(r, i) == NOWHERE;
}

/* "trims gains", "extends decline": the moved thing is itself a move. NOWHERE if there is none. */
static size_t moved_move(const reading_t *r, size_t i)
{
    for (size_t k = i + 1; k <= i + 2 && same_piece(r, i, k); k++) {
        if ((reading_is(r, k, WORD_UP) || reading_is(r, k, WORD_DOWN)) && !r->used[k])
            return k;
    }
    return NOWHERE;
}

static bool move_of_move_add(reading_t *r, size_t i)
{
    bool raise = reading_is(r, i, WORD_RAISE), cut = reading_is(r, i, WORD_CUT);
    size_t k = raise || cut ? moved_move(r, i) : NOWHERE;
    if (k == NOWHERE)
        return false;
    double sign = (reading_is(r, k, WORD_UP) ? 1 : -1) * (raise ? 1 : -1);
    add(r, (finding_t){i, k, i, sign * r->words[k]->weight * 0.7, STR("moved move")});
    return true;
}

static void direction_add(reading_t *r, size_t i)
{
    if (move_of_move_add(r, i))
        return;
    bool up = reading_is(r, i, WORD_UP) || reading_is(r, i, WORD_RAISE);
    bool transitive = reading_is(r, i, WORD_RAISE) || reading_is(r, i, WORD_CUT);
    double weight = r->words[i]->weight * (up ? 1 : -1);
    size_t metric = metric_of_direction(r, i);
    finding_t f = {i, i, i, weight, STR("direction")};
    if (raises_money(r, i)) {
        f.weight = 0;
    } else if (metric == NOWHERE) {
        f.weight *= transitive ? LONE_TRANSITIVE : LONE_DIRECTION;
    } else {
        f.weight *= polarity(r, metric);
        f.from = metric < i ? metric : i;
        f.to = metric < i ? i : metric;
        f.rule = STR("metric and direction");
    }
    add(r, f);
}

static void rule_directions(reading_t *r)
{
    for (size_t i = 0; i < r->tokens.n; i++) {
        if (!r->used[i] && is_direction(r, i))
            direction_add(r, i);
    }
}

/* --- "+8%", "-4%" --- */

static void rule_signed(reading_t *r)
{
    for (size_t i = 0; i < r->tokens.n; i++) {
        const token_t *t = &r->tokens.v[i];
        if (r->used[i] || t->kind != TOKEN_NUMBER || !t->is_signed || t->value == 0)
            continue;
        size_t metric = metric_before(r, i);
        double p = metric == NOWHERE ? 1 : polarity(r, metric);
        double w = (t->value > 0 ? SIGNED_PERCENT : -SIGNED_PERCENT) * p;
        add(r, (finding_t){i, i, i, t->unit == UNIT_PERCENT ? w : w * 0.5, STR("signed number")});
    }
}

/* --- words with a tone of their own --- */

static void rule_tones(reading_t *r)
{
    for (size_t i = 0; i < r->tokens.n; i++) {
        if (r->used[i])
            continue;
        if (reading_is(r, i, WORD_TONE))
            add(r, (finding_t){i, i, i, r->words[i]->weight, STR("word")});
        else if (reading_is(r, i, WORD_METRIC) && r->words[i]->weight < 0)
            add(r, (finding_t){i, i, i, MENTIONED_BURDEN, STR("burden mentioned")});
    }
}

void rules_run(reading_t *r)
{
    rule_phrases(r);
    rule_comparisons(r);
    rule_directions(r);
    rule_signed(r);
    rule_tones(r);
}
