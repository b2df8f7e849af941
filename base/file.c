/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { READ_CHUNK = 64 << 10, LARGE_CHUNK = 1 << 20 };

static int read_some(int fd, char **buffer, size_t *used, size_t *room)
{
    if (*room - *used < READ_CHUNK) {
        *room += *room + READ_CHUNK;
        char *larger = realloc(*buffer, *room + 1);
        if (!larger)
            abort();
        *buffer = larger;
    }
    ssize_t got = read(fd, *buffer + *used, *room - *used);
    if (got > 0)
        *used += (size_t)got;
    return got < 0 ? (errno == EINTR ? 1 : -1) : got > 0;
}

int rf_read_file(const char *path, size_t max, char **ret_text, size_t *ret_size, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", path);
    rf_autofree char *buffer = NULL;
    size_t used = 0, room = 0;
    int more;
    while ((more = read_some(fd, &buffer, &used, &room)) > 0)
        if (used > max)
            return rf_fail(err, RF_FAILED, "%s is larger than the %zu bytes allowed", path, max);
    if (more < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    buffer[used] = '\0';
    *ret_text = RF_STEAL(buffer);
    if (ret_size)
        *ret_size = used;
    return 0;
}

/* 1: more may come, 0: the end, -1: errno says why. */
static int read_chunk(int fd, char *buffer, uint64_t *left, uint64_t *done, const struct rf_chunks *chunks)
{
    ssize_t got = *left ? read(fd, buffer, *left < LARGE_CHUNK ? *left : LARGE_CHUNK) : 0;
    if (got < 0)
        return errno == EINTR ? 1 : -1;
    if (got == 0)
        return 0;
    chunks->take(chunks->taker, buffer, (size_t)got);
    *left -= (uint64_t)got;
    *done += (uint64_t)got;
    if (chunks->progress)
        chunks->progress(chunks->data, *done);
    return 1;
}

int rf_read_chunks(const char *path, uint64_t offset, uint64_t size, const struct rf_chunks *chunks, rf_error **err)
{
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", path);
    if (offset && lseek(fd, (off_t)offset, SEEK_SET) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    rf_autofree char *buffer = rf_alloc(LARGE_CHUNK);
    uint64_t left = size, done = 0;
    int more;
    while ((more = read_chunk(fd, buffer, &left, &done, chunks)) > 0)
        ;
    if (more < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", path);
    if (left && size != RF_TO_THE_END)
        return rf_fail(err, RF_FAILED, "%s ends %" PRIu64 " bytes early", path, left);
    return 0;
}

char *rf_read_line(const char *path)
{
    char *text = NULL;
    if (rf_read_file(path, READ_CHUNK, &text, NULL, NULL) < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    size_t length = strlen(text), blanks = strspn(text, " \t");
    while (length > blanks && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    memmove(text, text + blanks, length - blanks + 1);
    return text;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno != EINTR)
            return -1;
        if (wrote > 0) {
            data += wrote;
            size -= (size_t)wrote;
        }
    }
    return 0;
}

static char *directory_of(const char *path)
{
    rf_autofree char *copy = rf_strdup(path);
    return rf_strdup(dirname(copy));
}

static char *temporary_beside(const char *path)
{
    rf_autofree char *copy = rf_strdup(path);
    rf_autofree char *directory = directory_of(path);
    return rf_format("%s/.%s.XXXXXX", directory, basename(copy));
}

/* Without this a rename may be lost with the power (fsync(2): "an explicit fsync() on a file descriptor for the directory"). */
static int sync_directory(const char *path)
{
    rf_autofree char *directory = directory_of(path);
    rf_autofd int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -1 : fsync(fd);
}

static int finish_temporary(int fd, const char *temporary, const char *path, mode_t mode)
{
    if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0)
        return -1;
    return sync_directory(path);
}

int rf_write_file(const char *path, const void *data, size_t size, mode_t mode, rf_error **err)
{
    rf_autofree char *temporary = temporary_beside(path);
    rf_autofd int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", path);
    if (write_all(fd, data, size) < 0 || finish_temporary(fd, temporary, path, mode) < 0) {
        int why = errno;
        unlink(temporary);
        return rf_fail_errno(err, RF_FAILED, why, "%s can't be written", path);
    }
    return 0;
}

int rf_make_dirs(const char *path, mode_t mode, rf_error **err)
{
    rf_autofree char *copy = rf_strdup(path);
    for (char *slash = copy + 1; slash && *slash; slash++) {
        slash = strchrnul(slash, '/');
        bool last = *slash == '\0';
        *slash = '\0';
        if (mkdir(copy, mode) == 0 ? chmod(copy, mode) < 0 : errno != EEXIST) /* chmod: whatever the umask */
            return rf_fail_errno(err, RF_FAILED, errno, "directory %s can't be made", copy);
        if (last)
            break;
        *slash = '/';
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int rf_remove_tree(const char *path, rf_error **err)
{
    if (nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be removed", path);
    return 0;
}

static int copy_data(int from, int to, uint64_t total, void (*progress)(void *, uint64_t, uint64_t), void *data)
{
    uint64_t done = 0;
    for (;;) {
        ssize_t sent = sendfile(to, from, NULL, 4 << 20);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return sent < 0 || done != total ? -1 : 0;
        done += (uint64_t)sent;
        if (progress)
            progress(data, done, total);
    }
}

int rf_copy_file(const char *from, const char *to, mode_t mode,
                 void (*progress)(void *data, uint64_t done, uint64_t total), void *data, rf_error **err)
{
    rf_autofd int in = open(from, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (in < 0 || fstat(in, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be opened", from);
    rf_autofree char *temporary = temporary_beside(to);
    rf_autofd int out = mkostemp(temporary, O_CLOEXEC);
    if (out < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be written", to);
    errno = EIO; /* a source that ended early sets none */
    if (copy_data(in, out, (uint64_t)status.st_size, progress, data) < 0 ||
        finish_temporary(out, temporary, to, mode) < 0) {
        int why = errno;
        unlink(temporary);
        return rf_fail_errno(err, RF_FAILED, why, "copying %s to %s", from, to);
    }
    return 0;
}

bool rf_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
