// Loaded into the broker (LD_PRELOAD) by powercut.py: keeps a journal of what the store's files were given and of what the
// disk has confirmed, so that afterwards every state can be made that a power cut could have left.
//
// A record is written before a change and after a sync, so the journal never claims more than is true.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATED = 1, WRITTEN, TRUNCATED, SYNCED, REMOVED };
enum { DESCRIPTORS = 65536 };

struct record { uint32_t operation, file, length, unused; uint64_t offset; };

static const char *const suffixes[] = {"dunlin.sqlite", "dunlin.sqlite-wal", "dunlin.sqlite-journal"};
static uint8_t files[DESCRIPTORS];  // by descriptor: 1 + index of the suffix, or 0
static int journal = -1;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("TORTURE_JOURNAL");
    if (path) journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(uint32_t operation, uint32_t file, const void *data, size_t length, uint64_t offset) {
    struct record record = {operation, file, data ? (uint32_t)length : 0, 0, offset};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, data ? length : 0}};
    if (syscall(SYS_writev, journal, parts, 2) < 0) abort();
}

static uint32_t file_of_path(const char *path) {
    size_t length = strlen(path);
    for (uint32_t at = 0; at < sizeof suffixes / sizeof *suffixes; at++) {
        size_t suffix = strlen(suffixes[at]);
        if (length >= suffix && strcmp(path + length - suffix, suffixes[at]) == 0) return at + 1;
    }
    return 0;
}

static uint32_t file_of(int descriptor) {
    return journal >= 0 && descriptor >= 0 && descriptor < DESCRIPTORS ? files[descriptor] : 0;
}

static int opened(const char *path, int flags, mode_t mode) {
    uint32_t file = journal < 0 ? 0 : file_of_path(path);
    pthread_mutex_lock(&mutex);
    if (file && flags & O_CREAT && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0) note(CREATED, file, NULL, 0, 0);
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (descriptor >= 0 && descriptor < DESCRIPTORS) files[descriptor] = (uint8_t)file;
    pthread_mutex_unlock(&mutex);
    return descriptor;
}

#define OPEN(name)                                               \
    int name(const char *path, int flags, ...) {                 \
        mode_t mode = 0;                                         \
        if (flags & (O_CREAT | __O_TMPFILE)) {                   \
            va_list list;                                        \
            va_start(list, flags);                               \
            mode = va_arg(list, mode_t);                         \
            va_end(list);                                        \
        }                                                        \
        return opened(path, flags, mode);                        \
    }
OPEN(open)
OPEN(open64)

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) files[descriptor] = 0;
    return (int)syscall(SYS_close, descriptor);
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
    uint32_t file = file_of(descriptor);
    if (!file) return syscall(SYS_pwrite64, descriptor, data, length, offset);
    pthread_mutex_lock(&mutex);
    note(WRITTEN, file, data, length, (uint64_t)offset);
    ssize_t result = syscall(SYS_pwrite64, descriptor, data, length, offset);
    pthread_mutex_unlock(&mutex);
    return result;
}

int ftruncate64(int descriptor, off64_t length) {
    uint32_t file = file_of(descriptor);
    if (!file) return (int)syscall(SYS_ftruncate, descriptor, length);
    pthread_mutex_lock(&mutex);
    note(TRUNCATED, file, NULL, 0, (uint64_t)length);
    int result = (int)syscall(SYS_ftruncate, descriptor, length);
    pthread_mutex_unlock(&mutex);
    return result;
}

// Nothing else is written meanwhile, so that what was written before it is what it has confirmed.
static int synced(int descriptor, long number) {
    uint32_t file = file_of(descriptor);
    if (!file) return (int)syscall(number, descriptor);
    pthread_mutex_lock(&mutex);
    int result = (int)syscall(number, descriptor);
    if (result == 0) note(SYNCED, file, NULL, 0, 0);
    pthread_mutex_unlock(&mutex);
    return result;
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int unlink(const char *path) {
    uint32_t file = journal < 0 ? 0 : file_of_path(path);
    pthread_mutex_lock(&mutex);
    if (file) note(REMOVED, file, NULL, 0, 0);
    int result = (int)syscall(SYS_unlink, path);
    pthread_mutex_unlock(&mutex);
    return result;
}
