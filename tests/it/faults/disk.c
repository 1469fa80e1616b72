/* A disk that fails on command, for LD_PRELOAD. It concerns files of the store only (names with ".db").
 *
 * BAOPHAT_FAULTS is a folder. While a file "write" stands in it, writing fails with EIO; while "sync" stands in it, syncing does.
 * A file "disk" in it that is a folder is what a power cut would leave: of each file only what was synced. Pages whose sync failed
 * are forgotten there though later syncs succeed, as a system does that marks them clean.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Range { off64_t at; size_t length; struct Range *next; } Range;
typedef struct File { char name[256]; Range *unsynced; struct File *next; } File;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static File *files;

static const char *folder(void) { return getenv("BAOPHAT_FAULTS"); }

static int is_set(const char *what) {
  char path[PATH_MAX];
  if (!folder()) return 0;
  snprintf(path, sizeof path, "%s/%s", folder(), what);
  return access(path, F_OK) == 0;
}

/* The name of a file of the store without its folder; 0 for other files. */
static int store_name(int fd, char *name, size_t size) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  char *base = strrchr(path, '/');
  if (!base || !strstr(base, ".db") || strstr(base, ".lock")) return 0;
  snprintf(name, size, "%s", base + 1);
  return 1;
}

/* Only files and their logs outlive a power cut in this picture. */
static File *mirrored(const char *name) {
  size_t n = strlen(name);
  if (!is_set("disk") || n < 4 || (strcmp(name + n - 3, ".db") && strcmp(name + n - 4, "-wal"))) return NULL;
  for (File *f = files; f; f = f->next)
    if (!strcmp(f->name, name)) return f;
  File *f = calloc(1, sizeof *f);
  snprintf(f->name, sizeof f->name, "%s", name);
  f->next = files;
  files = f;
  return f;
}

static void written(const char *name, off64_t at, size_t length) {
  pthread_mutex_lock(&lock);
  File *f = mirrored(name);
  if (f) {
    Range *r = malloc(sizeof *r);
    *r = (Range){at, length, f->unsynced};
    f->unsynced = r;
  }
  pthread_mutex_unlock(&lock);
}

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int);

/* Carries what is not synced yet over to the disk, or forgets it. */
static void synced(int fd, const char *name, int forget) {
  pthread_mutex_lock(&lock);
  File *f = mirrored(name);
  if (f) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/disk/%s", folder(), name);
    int to = forget ? -1 : open(path, O_RDWR | O_CREAT, 0644);
    while (f->unsynced) {
      Range *r = f->unsynced;
      f->unsynced = r->next;
      if (to >= 0) {
        char *bytes = malloc(r->length);
        ssize_t n = pread64(fd, bytes, r->length, r->at);
        if (n > 0 && lseek64(to, r->at, SEEK_SET) >= 0 && real_write(to, bytes, (size_t)n) != n) abort();
        free(bytes);
      }
      free(r);
    }
    if (to >= 0) {
      struct stat now;
      if (fstat(fd, &now) || ftruncate(to, now.st_size)) abort();
      close(to);
    }
  }
  pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void find(void) {
  real_write = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  real_pwrite = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
}

/* `at` is below 0 for a write at the file's own position. */
static ssize_t store_write(int fd, const void *bytes, size_t length, off64_t at) {
  char name[256];
  int ours = store_name(fd, name, sizeof name);
  if (ours && is_set("write")) {
    errno = EIO;
    return -1;
  }
  off64_t place = ours && at < 0 ? lseek64(fd, 0, SEEK_CUR) : at;
  ssize_t n = at < 0 ? real_write(fd, bytes, length) : real_pwrite(fd, bytes, length, at);
  if (ours && n > 0) written(name, place, (size_t)n);
  return n;
}

ssize_t write(int fd, const void *bytes, size_t length) { return store_write(fd, bytes, length, -1); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return store_write(fd, bytes, length, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return store_write(fd, bytes, length, at); }

static int store_sync(int fd) {
  char name[256];
  if (!store_name(fd, name, sizeof name)) return real_fsync(fd);
  int fails = is_set("sync");
  synced(fd, name, fails);
  if (fails) {
    errno = EIO;
    return -1;
  }
  return 0;
}

int fsync(int fd) { return store_sync(fd); }
int fdatasync(int fd) { return store_sync(fd); }
