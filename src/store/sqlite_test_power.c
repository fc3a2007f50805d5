#include "store/sqlite_test_power.h"

#include "store/store_test_disk.h"

#include <pthread.h>
#include <sqlite3.h>

typedef struct {
    sqlite3_file base;
    node_t *node;       /* NULL: a scratch file, which nobody looks for again */
    sqlite3_file *real; /* behind this struct */
} file_t;

static struct {
    pthread_mutex_t lock; /* of all below */
    sqlite3_vfs *real, vfs;
    test_disk_t files;
    int changes, lose_at;
    uint32_t sync_fails;
    bool lost;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

uint32_t power_chance(uint32_t n)
{
    pthread_mutex_lock(&disk.lock);
    uint32_t got = (uint32_t)(test_disk_random(&disk.files) % n);
    pthread_mutex_unlock(&disk.lock);
    return got;
}

/* Counts a change; false: the power went at it or before. */
static bool goes_on(void)
{
    if (!disk.lost && disk.changes++ == disk.lose_at)
        disk.lost = true;
    return !disk.lost;
}

#define REAL(f) (((file_t *)(f))->real)

static int file_close(sqlite3_file *f)
{
    return REAL(f)->pMethods->xClose(REAL(f));
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    return REAL(f)->pMethods->xRead(REAL(f), out, n, at);
}

/* The change at which the power goes is one that may come through. */
static bool note(sqlite3_file *f, int64_t at, const void *bytes, size_t n)
{
    node_t *node = ((file_t *)f)->node;
    if (!node)
        return true;
    pthread_mutex_lock(&disk.lock);
    bool was_lost = disk.lost, on = goes_on();
    if (!was_lost)
        test_disk_change(node, at, bytes, n);
    pthread_mutex_unlock(&disk.lock);
    return on;
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (!note(f, at, p, (size_t)n))
        return SQLITE_IOERR_WRITE;
    return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    if (!note(f, n, NULL, 0))
        return SQLITE_IOERR_TRUNCATE;
    return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int file_sync(sqlite3_file *f, int flags)
{
    node_t *node = ((file_t *)f)->node;
    if (!node)
        return SQLITE_OK;
    pthread_mutex_lock(&disk.lock);
    bool on = goes_on();
    if (on && disk.sync_fails > 0 && test_disk_happens(&disk.files, disk.sync_fails)) {
        test_disk_forget(&disk.files, node);
        on = false;
    } else if (on) {
        test_disk_sync(node);
        if (node->syncs_folder_once)
            test_disk_sync_folder(&disk.files);
        node->syncs_folder_once = false;
    }
    pthread_mutex_unlock(&disk.lock);
    return on ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
    return REAL(f)->pMethods->xFileSize(REAL(f), out);
}

static int file_lock(sqlite3_file *f, int level)
{
    return REAL(f)->pMethods->xLock(REAL(f), level);
}

static int file_unlock(sqlite3_file *f, int level)
{
    return REAL(f)->pMethods->xUnlock(REAL(f), level);
}

static int file_reserved(sqlite3_file *f, int *out)
{
    return REAL(f)->pMethods->xCheckReservedLock(REAL(f), out);
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
    return REAL(f)->pMethods->xFileControl(REAL(f), op, arg);
}

static int file_sector(sqlite3_file *f)
{
    return REAL(f)->pMethods->xSectorSize(REAL(f));
}

static int file_device(sqlite3_file *f)
{
    return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}

static int shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
    return REAL(f)->pMethods->xShmMap(REAL(f), region, size, extend, out);
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return REAL(f)->pMethods->xShmLock(REAL(f), offset, n, flags);
}

static void shm_barrier(sqlite3_file *f)
{
    REAL(f)->pMethods->xShmBarrier(REAL(f));
}

static int shm_unmap(sqlite3_file *f, int and_delete)
{
    return REAL(f)->pMethods->xShmUnmap(REAL(f), and_delete);
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int file_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    file_t *f = (file_t *)base;
    f->base.pMethods = NULL;
    f->node = NULL;
    f->real = (sqlite3_file *)(f + 1);
    int code = disk.real->xOpen(disk.real, name, f->real, flags, out);
    if (!f->real->pMethods)
        return code;
    f->base.pMethods = &METHODS;
    pthread_mutex_lock(&disk.lock);
    if (name)
        f->node = test_disk_open(&disk.files, name, !(flags & SQLITE_OPEN_MAIN_DB));
    pthread_mutex_unlock(&disk.lock);
    return code;
}

static int file_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder)
{
    pthread_mutex_lock(&disk.lock);
    node_t *node = test_disk_find(&disk.files, name);
    bool on = !node || goes_on();
    if (node && on)
        node->is_there = false;
    if (on && syncs_folder)
        test_disk_sync_folder(&disk.files);
    pthread_mutex_unlock(&disk.lock);
    return on ? disk.real->xDelete(disk.real, name, syncs_folder) : SQLITE_IOERR_DELETE;
}

bool power_install(void)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "power";
    disk.vfs.szOsFile = (int)sizeof(file_t) + disk.real->szOsFile;
    disk.vfs.xOpen = file_open;
    disk.vfs.xDelete = file_delete;
    return sqlite3_vfs_register(&disk.vfs, 0) == SQLITE_OK;
}

void power_begin(uint64_t seed, int lose_at, uint32_t sync_fails)
{
    disk.sync_fails = sync_fails;
    disk.files.seed = seed;
    disk.changes = 0;
    disk.lose_at = lose_at;
    disk.lost = false;
    sqlite3_vfs_register(&disk.vfs, 1);
}

int power_changes(void)
{
    pthread_mutex_lock(&disk.lock);
    int changes = disk.changes;
    pthread_mutex_unlock(&disk.lock);
    return changes;
}

bool power_is_lost(void)
{
    pthread_mutex_lock(&disk.lock);
    bool lost = disk.lost;
    pthread_mutex_unlock(&disk.lock);
    return lost;
}

void power_survive(const char *was, const char *path)
{
    test_disk_survive(&disk.files, was, path);
    sqlite3_vfs_register(disk.real, 1);
}
