/* A disk that fails when it is told to: preloaded, it stands before the calls by which a program writes to files.

   The file named by FAULTY_DISK is mapped: four 64-bit integers say which errno writes and syncs fail with (0: none), how many of
   them still succeed, and how many failed. Only files below the folder FAULTY_FOLDER are concerned. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct orders {
    volatile int64_t write_errno, sync_errno, spared, failed;
};

static struct orders *orders;
static const char *folder;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTY_DISK");
    folder = getenv("FAULTY_FOLDER");
    if (path == NULL || folder == NULL)
        return;
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return;
    void *mapped = mmap(NULL, sizeof(struct orders), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        orders = mapped;
}

static int concerns(int file)
{
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    return length > 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* A full disk still takes what does not make the file longer. */
static int fits(int file, int64_t error, off64_t end)
{
    struct stat64 status;
    return error == ENOSPC && fstat64(file, &status) == 0 && end <= status.st_size;
}

static int fails(int file, int64_t error, off64_t end)
{
    if (error == 0 || !concerns(file) || fits(file, error, end))
        return 0;
    if (__sync_fetch_and_sub(&orders->spared, 1) > 0)
        return 0;
    __sync_fetch_and_add(&orders->failed, 1);
    errno = (int)error;
    return 1;
}

static off64_t sum(const struct iovec *pieces, int count)
{
    off64_t size = 0;
    while (count-- > 0)
        size += pieces[count].iov_len;
    return size;
}

#define HERE lseek64(file, 0, SEEK_CUR)
#define NEVER INT64_MAX

#define FAULTY(type, name, error, end, arguments, names)                \
    type name arguments                                                 \
    {                                                                   \
        static type(*real) arguments;                                   \
        if (real == NULL)                                               \
            real = (type(*) arguments)dlsym(RTLD_NEXT, #name);          \
        if (orders != NULL && fails(file, orders->error, end))          \
            return -1;                                                  \
        return real names;                                              \
    }

FAULTY(ssize_t, write, write_errno, HERE + (off64_t)size, (int file, const void *data, size_t size), (file, data, size))
FAULTY(ssize_t, pwrite, write_errno, at + (off64_t)size, (int file, const void *data, size_t size, off_t at), (file, data, size, at))
FAULTY(ssize_t, pwrite64, write_errno, at + (off64_t)size, (int file, const void *data, size_t size, off64_t at), (file, data, size, at))
FAULTY(ssize_t, writev, write_errno, HERE + sum(pieces, count), (int file, const struct iovec *pieces, int count), (file, pieces, count))
FAULTY(ssize_t, pwritev, write_errno, at + sum(pieces, count), (int file, const struct iovec *pieces, int count, off_t at), (file, pieces, count, at))
FAULTY(ssize_t, pwritev64, write_errno, at + sum(pieces, count), (int file, const struct iovec *pieces, int count, off64_t at), (file, pieces, count, at))
/* This one returns the error. */
int posix_fallocate(int file, off_t at, off_t size)
{
    static int (*real)(int, off_t, off_t);
    if (real == NULL)
        real = (int (*)(int, off_t, off_t))dlsym(RTLD_NEXT, "posix_fallocate");
    return orders != NULL && fails(file, orders->write_errno, at + size) ? errno : real(file, at, size);
}

FAULTY(int, fsync, sync_errno, NEVER, (int file), (file))
FAULTY(int, fdatasync, sync_errno, NEVER, (int file), (file))
