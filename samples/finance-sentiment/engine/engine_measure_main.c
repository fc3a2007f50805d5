/* finance-sentiment-measure [--built-in] DATA DRILLS.csv: how well the engine agrees with labelled
 * headlines, beside simpler ways, and how fast it is, as tables for README. DIR is the folder with
 * sentfin/ and twitter-financial/, by default $WARDER_SHARED/data. The model is learned anew from
 * four fifths and asked about the last, five times in turn; --built-in asks the one in the program
 * instead, which says something only about headlines that it was not learned from. */
#include "trial.h"

#include <stdio.h>
#include <time.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, SPEED_ROUNDS = 8 };

static void print_table(const trial_t *t)
{
    puts("| texts | n | accuracy | macro-F1 | calibration error | rules alone | lexicon alone | "
         "most frequent class |\n|---|---|---|---|---|---|---|---|");
    for (int set = 0; set < SETS; set++) {
        const figures_t *f = &t->v[BY_MODEL][set];
        if (f->n == 0)
            continue;
        printf("| %s | %zu | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |\n",
               trial_set_name((set_t)set), f->n, figures_accuracy(f), figures_macro_f1(f),
               figures_ece(f), figures_accuracy(&t->v[BY_RULES][set]),
               figures_accuracy(&t->v[BY_LEXICON][set]), figures_majority(f));
    }
}

static void print_confusion(const trial_t *t)
{
    puts("| texts | labelled | said negative | said neutral | said positive "
         "|\n|---|---|---|---|---|");
    for (int set = 0; set < SETS; set++) {
        const figures_t *f = &t->v[BY_MODEL][set];
        for (int c = 0; f->n > 0 && c < CLASSES; c++) {
            str_t name = engine_class_name((sentiment_class_t)c);
            printf("| %s | %" PRIstr " | %zu | %zu | %zu |\n", trial_set_name((set_t)set),
                   STR_ARG(name), f->hits[c][0], f->hits[c][1], f->hits[c][2]);
        }
    }
}

static rc_t analyze_all(const dataset_t *d, arena_t *a, size_t *count)
{
    for (int k = 0; k < CORPUS_DRILLS; k++) {
        for (size_t i = 0; i < d->files[k].n; i++) {
            const example_t *e = &d->files[k].v[i];
            sentiment_t s;
            if (str_is_set(e->entity))
                continue;
            arena_reset(a);
            TRY(engine_analyze(a, e->text, &s));
            (*count)++;
        }
    }
    return RC_OK;
}

/* Time of this process's processor, so that neighbours do not count. */
static rc_t print_speed(const dataset_t *d)
{
    struct timespec from, to;
    size_t count = 0;
    arena_t *a = arena_new(ENGINE_ARENA_BYTES);
    rc_t rc = a ? RC_OK : RC_MEMORY;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; rc == RC_OK && i < SPEED_ROUNDS; i++)
        rc = analyze_all(d, a, &count);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    arena_free(a);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    printf("%.0f headlines a second on one core, with evidence (%zu in %.2f s)\n",
           (double)count / seconds, count, seconds);
    return rc;
}

static rc_t measure(const dataset_t *d, bool built_in)
{
    trials_t t = {0};
    if (built_in) {
        model_t m = model_builtin();
        TRY(trial_run(&m, d, NO_FOLD, true, &t.cross));
    } else {
        TRY(trial_cross(d, &t));
    }
    print_table(&t.cross);
    if (!built_in) {
        puts("\nThe fifth kept for development:\n");
        print_table(&t.dev);
    }
    puts("");
    print_confusion(&t.cross);
    puts("");
    return print_speed(d);
}

int main(int argc, char **argv)
{
    bool built_in = argc > 1 && strcmp(argv[1], "--built-in") == 0;
    if (argc != 3 + built_in) {
        fputs("usage: finance-sentiment-measure [--built-in] DATA DRILLS.csv\n", stderr);
        return EXIT_USAGE;
    }
    dataset_t d;
    rc_t rc = dataset_read(argv[1 + built_in], argv[2 + built_in], &d);
    if (rc == RC_OK)
        rc = measure(&d, built_in);
    dataset_free(&d);
    if (rc != RC_OK)
        fprintf(stderr, "finance-sentiment-measure: %s; is %s the folder of the data?\n",
                rc_name(rc), argv[1 + built_in]);
    return rc == RC_OK ? 0 : EXIT_FAILED;
}
