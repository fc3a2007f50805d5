/* finance-sentiment-train DATA DRILLS.csv MODEL.bin CARD.json: learns the model from labelled
 * headlines, says how good it is on what it has not seen, and writes it with its card. The same
 * data give the same bytes, on each machine. DATA is the folder with sentfin/ and
 * twitter-financial/. */
#include "card.h"

#include <stdio.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, CARD_ARENA = 1 << 20 };

static rc_t write_file(const char *path, str_t bytes)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return RC_IO;
    size_t n = fwrite(bytes.p, 1, bytes.n, f);
    return fclose(f) == 0 && n == bytes.n ? RC_OK : RC_IO;
}

static void print_trial(const trial_t *t, const char *name)
{
    for (int set = 0; set < SETS; set++) {
        const figures_t *f = &t->v[BY_MODEL][set];
        printf("%-6s %-26s n=%5zu  accuracy %.4f  macro-F1 %.4f  calibration error %.4f\n", name,
               trial_set_name((set_t)set), f->n, figures_accuracy(f), figures_macro_f1(f),
               figures_ece(f));
    }
}

static rc_t learn_all(const dataset_t *d, const trials_t *t, packed_t *out)
{
    learned_t l;
    TRY(learn(d, NO_FOLD, &l));
    rc_t rc = pack(d, &l, out);
    learned_free(&l);
    pack_heats(out, t->text_heat, t->target_heat);
    return rc;
}

static rc_t train(const dataset_t *d, const char *model, const char *card)
{
    static packed_t packed;
    trials_t t;
    str_t text;
    printf("%zu samples, %zu features\n", d->n, d->features);
    TRY(trial_cross(d, &t));
    print_trial(&t.cross, "cross");
    print_trial(&t.dev, "dev");
    TRY(learn_all(d, &t, &packed));
    printf("heat %.2f, with a target %.2f; %zu of %zu weights in %zu bytes\n", t.text_heat,
           t.target_heat, packed.kept, packed.candidates, packed.n);
    TRY(write_file(model, str_of(packed.bytes, packed.n)));
    arena_t *a = arena_new(CARD_ARENA);
    rc_t rc = a ? card_write(a, d, &packed, &t, &text) : RC_MEMORY;
    if (rc == RC_OK)
        rc = write_file(card, text);
    arena_free(a);
    return rc;
}

int main(int argc, char **argv)
{
    dataset_t d;
    if (argc != 5) {
        fputs("usage: finance-sentiment-train DATA DRILLS.csv MODEL.bin CARD.json\n", stderr);
        return EXIT_USAGE;
    }
    rc_t rc = dataset_read(argv[1], argv[2], &d);
    if (rc == RC_OK)
        rc = train(&d, argv[3], argv[4]);
    dataset_free(&d);
    if (rc != RC_OK)
        fprintf(stderr, "finance-sentiment-train: %s; is %s the folder of the data?\n", rc_name(rc),
                argv[1]);
    return rc == RC_OK ? 0 : EXIT_FAILED;
}
