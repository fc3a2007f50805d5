/* finance-sentiment-measure [DIR]: prints how well the engine agrees with labelled headlines. DIR
 * is the folder with sentfin/ and twitter-financial/; by default $WARDER_SHARED/data. */
#include "engine_measure.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXIT_NO_DATA = 2 };

static void print_figures(const char *name, const char *part, const figures_t *f)
{
    printf("%-18s %-9s n=%5zu  accuracy %.3f  macro-F1 %.3f  (majority %.3f)\n", name, part, f->n,
           figures_accuracy(f), figures_macro_f1(f), figures_majority(f));
}

static int measure(const char *folder, const char *name, corpus_t corpus)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s/train.csv", folder, name);
    for (int held_out = 0; held_out < 2; held_out++) {
        figures_t f;
        rc_t rc = measure_file(path, corpus, held_out != 0, &f);
        if (rc != RC_OK) {
            fprintf(stderr,
                    "finance-sentiment-measure: cannot measure on %s (%s); give the data "
                    "folder as the first argument\n",
                    path, rc_name(rc));
            return EXIT_NO_DATA;
        }
        print_figures(name, held_out ? "held-out" : "seen", &f);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *shared = getenv("WARDER_SHARED");
    char folder[2048];
    snprintf(folder, sizeof folder, "%s%s",
             argc > 1 ? argv[1]
             : shared ? shared
                      : ".",
             argc > 1 ? "" : "/data");
    int bad = measure(folder, "sentfin", CORPUS_SENTFIN);
    return bad ? bad : measure(folder, "twitter-financial", CORPUS_TWITTER);
}
