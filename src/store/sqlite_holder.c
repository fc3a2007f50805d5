/* Who has a lock on a file, as the kernel tells (proc_locks(5)). The file itself is not opened:
 * closing it would drop the locks that this process holds on it (POSIX advisory locks belong to the
 * process). */
#include "store/sqlite_gate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { LINE_BYTES = 256, NAME_BYTES = 32 };

/* "2: POSIX  ADVISORY  READ 4711 08:01:1234 0 EOF": of who has it; who waits has an arrow. 0:
 * another file, this process, or one that cannot be seen from here. */
static int holder_in(const char *line, const struct stat *st)
{
    unsigned major, minor;
    unsigned long long inode;
    int pid;
    if (sscanf(line, "%*s %*s %*s %*s %d %x:%x:%llu", &pid, &major, &minor, &inode) != 4)
        return 0;
    bool same = inode == st->st_ino && major == major(st->st_dev) && minor == minor(st->st_dev);
    return same && pid > 0 && pid != (int)getpid() ? pid : 0;
}

/* A process names itself as it likes, and this goes to a terminal. */
static void read_name(int pid, char *name)
{
    char path[64];
    name[0] = '\0';
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(name, NAME_BYTES, file))
        name[0] = '\0';
    fclose(file);
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

static int find_holder(const struct stat *st)
{
    char line[LINE_BYTES];
    int pid = 0;
    FILE *file = fopen("/proc/locks", "re");
    while (file && pid == 0 && fgets(line, sizeof line, file))
        pid = holder_in(line, st);
    if (file)
        fclose(file);
    return pid;
}

str_t sqlite_lock_holder(arena_t *a, const char *path)
{
    struct stat st;
    char name[NAME_BYTES];
    int pid = stat(path, &st) == 0 ? find_holder(&st) : 0;
    if (pid == 0)
        return STR_UNSET;
    read_name(pid, name);
    return name[0] ? arena_printf(a, "process %d (%s)", pid, name)
                   : arena_printf(a, "process %d", pid);
}
