/* The model in the program on a tenth of the headlines that it was learned from: whether weights
 * and code still belong together. How good it is on others is what finance-sentiment-measure says.
 */
#include "engine_test_world.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARTS = 10 };

/* The whole file, of which the examples of one part stay. */
static void read_part(const char *name, corpus_t corpus, corpus_file_t *out)
{
    const char *shared = getenv("WARDER_SHARED");
    char path[4096];
    snprintf(path, sizeof path, "%s/data/%s/train.csv", shared ? shared : ".", name);
    rc_t rc = corpus_read(path, corpus, out);
    if (rc == RC_NOT_FOUND) {
        print_message("skipped: no labelled headlines at %s\n", path);
        skip();
    }
    assert_int_equal(rc, RC_OK);
    size_t n = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (out->v[i].fold % PARTS == 0)
            out->v[n++] = out->v[i];
    }
    out->n = n;
}

static trial_t answers(const char *name, corpus_t corpus)
{
    dataset_t d = {0};
    trial_t t = {0};
    model_t m = model_builtin();
    read_part(name, corpus, &d.files[corpus]);
    assert_int_equal(trial_run(&m, &d, NO_FOLD, true, &t), RC_OK);
    corpus_free(&d.files[corpus]);
    return t;
}

static void is_good(const trial_t *t, set_t set, double accuracy)
{
    const figures_t *f = &t->v[BY_MODEL][set];
    assert_true(f->n > 150);
    if (figures_accuracy(f) < accuracy)
        fail_msg("%s: %.3f", trial_set_name(set), figures_accuracy(f));
    assert_true(figures_accuracy(f) > figures_accuracy(&t->v[BY_RULES][set]));
    assert_true(figures_accuracy(f) > figures_accuracy(&t->v[BY_LEXICON][set]));
    assert_true(figures_accuracy(f) > figures_majority(f));
}

static void headlines_are_read_right(void **state)
{
    (void)state;
    trial_t t = answers("sentfin", CORPUS_SENTFIN);
    is_good(&t, SET_HEADLINES, 0.88);
    is_good(&t, SET_DECISIONS, 0.87);
    is_good(&t, SET_DISPUTED, 0.80);
    /* The rules alone keep their worth: they make the evidence. */
    assert_true(figures_accuracy(&t.v[BY_RULES][SET_HEADLINES]) >= 0.77);
}

static void news_tweets_are_read_right(void **state)
{
    (void)state;
    trial_t t = answers("twitter-financial", CORPUS_TWITTER);
    is_good(&t, SET_TWEETS, 0.87);
    assert_true(figures_accuracy(&t.v[BY_RULES][SET_TWEETS]) >= 0.74);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headlines_are_read_right),
        cmocka_unit_test(news_tweets_are_read_right),
    };
    return cmocka_run_group_tests_name("engine_data", tests, NULL, NULL);
}
