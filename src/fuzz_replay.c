/* Replays a corpus folder through a libFuzzer entry point, so that every test run covers what
 * fuzzing once found, with any compiler. Usage: <replay> DIR... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies into a block of the exact size, so that ASan sees a read one byte past the end. */
static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        fprintf(stderr, "cannot open %s\n", path);
        return 1;
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
    size_t got = data && size > 0 ? fread(data, 1, (size_t)size, f) : 0;
    fclose(f);
    LLVMFuzzerTestOneInput(data, got);
    free(data);
    return 0;
}

static int replay_folder(const char *folder, size_t *count)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        fprintf(stderr, "no corpus at %s\n", folder);
        return 1;
    }
    int bad = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        bad |= replay_file(path);
        (*count)++;
    }
    closedir(dir);
    return bad;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    int bad = 0;
    for (int i = 1; i < argc; i++)
        bad |= replay_folder(argv[i], &count);
    printf("%zu inputs replayed\n", count);
    /* An empty corpus would be a test that cannot fail. */
    return bad || count == 0;
}
