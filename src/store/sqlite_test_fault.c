#include "store/sqlite_test_fault.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>

typedef struct {
    sqlite3_file base;
    bool is_log;
    sqlite3_file *real; /* behind this struct */
} file_t;

static struct {
    sqlite3_mem_methods memory; /* the real ones */
    sqlite3_vfs *real, vfs;
    atomic_int armed; /* a fault_t, or -1 */
    atomic_int left;
    atomic_bool struck;
    atomic_int unsynced, syncs;
} faults = {.armed = -1};

static bool strikes(fault_t fault)
{
    if (atomic_load(&faults.armed) != (int)fault)
        return false;
    int left = atomic_fetch_sub(&faults.left, 1);
    if (left > 0 || (left < 0 && fault != FAULT_FULL))
        return false;
    atomic_store(&faults.struck, true);
    return true;
}

static void *allocate(int n)
{
    return strikes(FAULT_MEMORY) ? NULL : faults.memory.xMalloc(n);
}

static void *reallocate(void *p, int n)
{
    return strikes(FAULT_MEMORY) ? NULL : faults.memory.xRealloc(p, n);
}

#define REAL(f) (((file_t *)(f))->real)

static int file_close(sqlite3_file *f)
{
    return REAL(f)->pMethods->xClose(REAL(f));
}

static int file_read(sqlite3_file *f, void *out, int n, sqlite3_int64 at)
{
    if (strikes(FAULT_READ))
        return SQLITE_IOERR_READ;
    return REAL(f)->pMethods->xRead(REAL(f), out, n, at);
}

static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (strikes(FAULT_FULL))
        return SQLITE_FULL;
    if (strikes(FAULT_WRITE))
        return SQLITE_IOERR_WRITE;
    if (((file_t *)f)->is_log)
        atomic_fetch_add(&faults.unsynced, 1);
    return REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 n)
{
    if (strikes(FAULT_TRUNCATE))
        return SQLITE_IOERR_TRUNCATE;
    return REAL(f)->pMethods->xTruncate(REAL(f), n);
}

static int file_sync(sqlite3_file *f, int flags)
{
    if (strikes(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    if (((file_t *)f)->is_log) {
        atomic_store(&faults.unsynced, 0);
        atomic_fetch_add(&faults.syncs, 1);
    }
    return REAL(f)->pMethods->xSync(REAL(f), flags);
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
    if (strikes(FAULT_SHARED)) {
        *out = NULL;
        return SQLITE_IOERR_SHMMAP;
    }
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
    if (strikes(FAULT_OPEN))
        return SQLITE_CANTOPEN;
    f->is_log = (flags & SQLITE_OPEN_WAL) != 0;
    f->real = (sqlite3_file *)(f + 1);
    int code = faults.real->xOpen(faults.real, name, f->real, flags, out);
    if (f->real->pMethods)
        f->base.pMethods = &METHODS;
    return code;
}

bool fault_install(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &faults.memory) != SQLITE_OK)
        return false;
    sqlite3_mem_methods memory = faults.memory;
    memory.xMalloc = allocate;
    memory.xRealloc = reallocate;
    /* Without the pools of a connection every allocation comes here. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK)
        return false;
    faults.real = sqlite3_vfs_find(NULL);
    faults.vfs = *faults.real;
    faults.vfs.zName = "fault";
    faults.vfs.szOsFile = (int)sizeof(file_t) + faults.real->szOsFile;
    faults.vfs.xOpen = file_open;
    return sqlite3_vfs_register(&faults.vfs, 1) == SQLITE_OK;
}

void fault_arm(fault_t fault, int n)
{
    atomic_store(&faults.struck, false);
    atomic_store(&faults.left, n);
    atomic_store(&faults.armed, (int)fault);
}

bool fault_disarm(void)
{
    atomic_store(&faults.armed, -1);
    return atomic_load(&faults.struck);
}

int fault_unsynced(void)
{
    return atomic_load(&faults.unsynced);
}

int fault_syncs(void)
{
    return atomic_load(&faults.syncs);
}
