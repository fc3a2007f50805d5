#include "cmd/cmd_test_run.h"

#include "cmd/command.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND "--command"
enum { ARGS_MAX = 48 };

void test_folder(char path[64])
{
    strcpy(path, "/tmp/warder-cmd-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void test_folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *test_file(const char *folder, const char *name, const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

bool test_read(const char *path, char *out, size_t max)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, max - 1, f) : 0;
    out[n] = '\0';
    if (f)
        fclose(f);
    return f != NULL;
}

static void become(int fd, const char *path, int flags)
{
    int file = open(path, flags, 0600);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(99);
    close(file);
}

void test_child(int (*fn)(void *arg), void *arg, str_t input, ran_t *out)
{
    char folder[64], in[96], stdout_path[96], stderr_path[96];
    test_folder(folder);
    snprintf(in, sizeof in, "%s/in", folder);
    snprintf(stdout_path, sizeof stdout_path, "%s/out", folder);
    snprintf(stderr_path, sizeof stderr_path, "%s/err", folder);
    FILE *f = fopen(in, "wb");
    assert_non_null(f);
    if (input.n > 0)
        assert_int_equal(fwrite(input.p, 1, input.n, f), input.n);
    fclose(f);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        become(0, in, O_RDONLY);
        become(1, stdout_path, O_WRONLY | O_CREAT);
        become(2, stderr_path, O_WRONLY | O_CREAT);
        exit(fn(arg));
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    test_read(stdout_path, out->out, sizeof out->out);
    test_read(stderr_path, out->err, sizeof out->err);
    test_folder_remove(folder);
}

typedef struct {
    int argc;
    char *argv[ARGS_MAX + 1];
} args_t;

bool test_is_command(int argc, char **argv, int *code)
{
    if (argc < 2 || strcmp(argv[1], COMMAND) != 0)
        return false;
    int words = 0;
    const command_t *command = command_find(argc - 2, argv + 2, &words);
    *code = command ? command->run(argc - 2 - words, argv + 2 + words) : 98;
    return true;
}

/* A program of its own: the test has threads, which a fork would leave behind half. */
static int run(void *arg)
{
    args_t *args = arg;
    execv("/proc/self/exe", args->argv);
    return 97;
}

void test_command(const char *line, str_t input, ran_t *out)
{
    char text[2048];
    static char command_word[] = COMMAND, name[] = "warder";
    args_t args = {2, {name, command_word}};
    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        assert_true(args.argc < ARGS_MAX);
        for (char *c = word; *c; c++)
            if (*c == '~')
                *c = ' ';
        args.argv[args.argc++] = word;
    }
    test_child(run, &args, input, out);
}

void assert_one_line(const ran_t *ran)
{
    size_t n = strlen(ran->err);
    if (n == 0)
        return;
    if (!str_starts(str_c(ran->err), STR("warder: ")) || strchr(ran->err, '\n') != &ran->err[n - 1])
        fail_msg("not one line of ours: %s", ran->err);
}
