/* The trainer on a small set of our own: what it reads, and that it always writes the same bytes.
 */
#include "engine_test_world.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

/* What the trainer wrote when this test was written. It changes with features, drills and the small
 * set; where nothing of that changed, a machine computes differently. */
static const uint64_t GOLDEN = 0x410be3bf91955775U;

static const char *at(char *out, size_t cap, const char *name)
{
    const char *source = getenv("WARDER_SOURCE");
    snprintf(out, cap, "%s/samples/finance-sentiment/trainer/%s", source ? source : ".", name);
    return out;
}

static void read_small(dataset_t *d, const char *drills)
{
    char dir[2048], file[2048];
    assert_int_equal(dataset_read(at(dir, sizeof dir, "sample"), at(file, sizeof file, drills), d),
                     RC_OK);
}

static size_t labelled(const corpus_file_t *c, sentiment_class_t label)
{
    size_t n = 0;
    for (size_t i = 0; i < c->n; i++)
        n += c->v[i].label == label;
    return n;
}

static void decisions_are_read(void **state)
{
    dataset_t d;
    (void)state;
    read_small(&d, "sample/sentfin/train.csv");
    const corpus_file_t *c = &d.files[CORPUS_SENTFIN];
    assert_int_equal(c->n, 9 + 9 + 5); /* of one entity twice: for it, and for the headline */
    assert_int_equal(labelled(c, CLASS_POSITIVE), 3 * 2 + 2);
    size_t split = 0, quoted = 0;
    for (size_t i = 0; i < c->n; i++) {
        split += c->v[i].split;
        quoted += str_eq(c->v[i].entity, STR("Osk's unit"));
    }
    assert_int_equal(split, 5);
    assert_int_equal(quoted, 1);
    dataset_free(&d);
}

static void messages_are_read(void **state)
{
    dataset_t d;
    (void)state;
    read_small(&d, "sample/sentfin/train.csv");
    const corpus_file_t *c = &d.files[CORPUS_TWITTER];
    assert_int_equal(c->n, 8);
    assert_int_equal(labelled(c, CLASS_NEGATIVE), 2);
    assert_int_equal(labelled(c, CLASS_POSITIVE), 3);
    assert_true(str_ends(c->v[6].text, STR("Vantor\nand more")));
    dataset_free(&d);
}

static void no_folder_is_said(void **state)
{
    dataset_t d;
    char dir[2048];
    (void)state;
    assert_int_equal(dataset_read(at(dir, sizeof dir, "nowhere"), "x", &d), RC_NOT_FOUND);
    dataset_free(&d);
}

static void the_same_data_give_the_same_bytes(void **state)
{
    dataset_t d;
    learned_t l;
    packed_t *p = calloc(1, sizeof *p);
    (void)state;
    assert_non_null(p);
    read_small(&d, "drills.csv");
    assert_int_equal(learn(&d, NO_FOLD, &l), RC_OK);
    assert_int_equal(pack(&d, &l, p), RC_OK);
    model_t m;
    assert_int_equal(model_open(str_of(p->bytes, p->n), &m), RC_OK);
    uint64_t digest = model_digest(str_of(p->bytes, p->n));
    if (digest != GOLDEN)
        fail_msg("the digest is 0x%016llx", (unsigned long long)digest);
    learned_free(&l);
    dataset_free(&d);
    free(p);
}

/* What was learned answers better than what is most frequent, and folds keep apart. */
static void learning_helps(void **state)
{
    dataset_t d;
    learned_t l;
    trial_t t = {0};
    packed_t *p = calloc(1, sizeof *p);
    (void)state;
    assert_non_null(p);
    read_small(&d, "drills.csv");
    assert_int_equal(learn(&d, NO_FOLD, &l), RC_OK);
    assert_int_equal(pack(&d, &l, p), RC_OK);
    pack_heats(p, 1.5, 2);
    model_t m = pack_open(p);
    assert_true(m.text_heat == 1.5 && m.target_heat == 2);
    assert_int_equal(trial_run(&m, &d, NO_FOLD, true, &t), RC_OK);
    assert_int_equal(t.v[BY_MODEL][SET_DECISIONS].n, 14);
    assert_int_equal(t.v[BY_RULES][SET_TWEETS].n, 8);
    assert_true(figures_accuracy(&t.v[BY_MODEL][SET_DECISIONS]) >= 0.8);
    assert_true(figures_accuracy(&t.v[BY_MODEL][SET_DECISIONS]) >
                figures_majority(&t.v[BY_MODEL][SET_DECISIONS]));
    learned_free(&l);
    dataset_free(&d);
    free(p);
}

static void figures_are_what_they_are_called(void **state)
{
    figures_t f = {0};
    (void)state;
    sentiment_t sure = {.class = CLASS_POSITIVE, .probability = {0.1, 0, 0.9}, .confidence = 0.9};
    figures_add(&f, CLASS_POSITIVE, &sure);
    figures_add(&f, CLASS_NEGATIVE, &sure);
    figures_add(&f, CLASS_NEGATIVE, &sure);
    assert_true(figures_accuracy(&f) > 0.333 && figures_accuracy(&f) < 0.334);
    assert_true(figures_majority(&f) > 0.666 && figures_majority(&f) < 0.667);
    assert_true(figures_ece(&f) > 0.566 && figures_ece(&f) < 0.567); /* 0.9 said, a third right */
    assert_true(figures_macro_f1(&f) > 0.166 && figures_macro_f1(&f) < 0.167);
    assert_int_equal(f.hits[CLASS_NEGATIVE][CLASS_POSITIVE], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decisions_are_read), cmocka_unit_test(messages_are_read),
        cmocka_unit_test(no_folder_is_said),  cmocka_unit_test(the_same_data_give_the_same_bytes),
        cmocka_unit_test(learning_helps),     cmocka_unit_test(figures_are_what_they_are_called),
    };
    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
