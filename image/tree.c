/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/tree.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Source trees and data trees; larger files do not belong in them. */
enum { FILE_MAX = 64 << 20 };

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int walk(const char *top, const char *below, rf_tree_visit *visit, void *data, rf_error **err);

static int walk_entry(const char *top, const char *below, const char *name, rf_tree_visit *visit, void *data,
                      rf_error **err)
{
    rf_autofree char *deeper = *below ? rf_format("%s/%s", below, name) : rf_strdup(name);
    rf_autofree char *path = rf_format("%s/%s", top, deeper);
    struct stat status;
    if (lstat(path, &status) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be looked at", path);
    if (visit(data, path, deeper, &status, err) < 0)
        return -1;
    return S_ISDIR(status.st_mode) ? walk(top, deeper, visit, data, err) : 0;
}

static int walk(const char *top, const char *below, rf_tree_visit *visit, void *data, rf_error **err)
{
    rf_autofree char *path = *below ? rf_format("%s/%s", top, below) : rf_strdup(top);
    struct dirent **names = NULL;
    int count = scandir(path, &names, no_dots, by_name);
    if (count < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "directory %s can't be read", path);
    int outcome = 0;
    for (int i = 0; i < count; i++) {
        if (outcome == 0)
            outcome = walk_entry(top, below, names[i]->d_name, visit, data, err);
        free(names[i]);
    }
    free(names);
    return outcome;
}

int rf_tree_walk(const char *top, rf_tree_visit *visit, void *data, rf_error **err)
{
    return walk(top, "", visit, data, err);
}

static char *link_target(const char *path)
{
    char target[4096] = "";
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    return length < 0 ? NULL : rf_strdup(target);
}

static int set_date(const char *path, time_t date, rf_error **err)
{
    const struct timespec times[2] = {{.tv_sec = date}, {.tv_sec = date}};
    if (utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be dated", path);
    return 0;
}

static int put_link(const char *from, const char *to, rf_error **err)
{
    rf_autofree char *target = link_target(from);
    if (!target)
        return rf_fail_errno(err, RF_FAILED, errno, "link %s can't be read", from);
    rf_autofree char *old = link_target(to);
    if (old && strcmp(old, target) == 0)
        return 0;
    if ((unlink(to) < 0 && errno != ENOENT) || symlink(target, to) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "link %s can't be made", to);
    return 0;
}

static mode_t mode_of(const struct stat *status)
{
    return status->st_mode & S_IXUSR ? 0755 : 0644;
}

static int put_file(const char *from, const char *to, const struct stat *status, rf_error **err)
{
    rf_autofree char *text = NULL;
    size_t size;
    if (rf_read_file(from, FILE_MAX, &text, &size, err) < 0)
        return -1;
    if (unlink(to) < 0 && errno != ENOENT)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be replaced", to);
    return rf_write_file(to, text, size, mode_of(status), err);
}

bool rf_tree_inside(const char *root, const char *path)
{
    const char *slash = strrchr(path, '/');
    rf_autofree char *above = slash ? rf_format("%.*s", (int)(slash - path) + 1, path) : rf_strdup(".");
    rf_autofree char *real = realpath(above, NULL), *top = realpath(root, NULL);
    const size_t length = top ? strlen(top) : 0;
    return real && top && strncmp(real, top, length) == 0 && (real[length] == '\0' || real[length] == '/');
}

struct overlay {
    const char *to;
    time_t date;
};

static int overlay_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    const struct overlay *self = data;
    if (strlen(below) >= 8 && strcmp(below + strlen(below) - 8, ".gitkeep") == 0)
        return 0;
    rf_autofree char *to = rf_format("%s/%s", self->to, below);
    if (!rf_tree_inside(self->to, to))
        return rf_fail(err, RF_FAILED, "%s can't be written: a link on the way leads out of %s", to, self->to);
    if (S_ISDIR(status->st_mode))
        return rf_make_dirs(to, 0755, err);
    if (S_ISLNK(status->st_mode) ? put_link(path, to, err) < 0 : put_file(path, to, status, err) < 0)
        return -1;
    return set_date(to, self->date, err);
}

int rf_tree_overlay(const char *from, const char *to, time_t date, rf_error **err)
{
    struct overlay self = {to, date};
    return rf_tree_walk(from, overlay_entry, &self, err);
}

static bool same_file(const char *a, const char *b, const struct stat *status)
{
    struct stat other;
    if (lstat(b, &other) < 0 || !S_ISREG(other.st_mode) || other.st_size != status->st_size ||
        mode_of(&other) != mode_of(status))
        return false;
    rf_autofree char *one = NULL, *two = NULL;
    size_t one_size, two_size;
    return rf_read_file(a, FILE_MAX, &one, &one_size, NULL) == 0 &&
           rf_read_file(b, FILE_MAX, &two, &two_size, NULL) == 0 && one_size == two_size &&
           memcmp(one, two, one_size) == 0;
}

static int sync_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    rf_autofree char *to = rf_format("%s/%s", (const char *)data, below);
    struct stat there;
    const bool exists = lstat(to, &there) == 0;
    if (exists && (there.st_mode & S_IFMT) != (status->st_mode & S_IFMT) && rf_remove_tree(to, err) < 0)
        return -1;
    if (S_ISDIR(status->st_mode))
        return rf_make_dirs(to, 0755, err);
    if (S_ISLNK(status->st_mode))
        return put_link(path, to, err);
    return same_file(path, to, status) ? 0 : put_file(path, to, status, err);
}

struct prune {
    const char *from;
    char **gone; /* removed after the walk: never what is being walked */
    size_t count;
};

static int prune_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)status;
    (void)err;
    struct prune *self = data;
    rf_autofree char *original = rf_format("%s/%s", self->from, below);
    struct stat there;
    if (lstat(original, &there) < 0)
        *(char **)rf_array_add(&self->gone, &self->count, sizeof(char *)) = rf_strdup(path);
    return 0;
}

int rf_tree_sync(const char *from, const char *to, rf_error **err)
{
    struct prune self = {.from = from};
    if (rf_make_dirs(to, 0755, err) < 0 || rf_tree_walk(from, sync_entry, (void *)to, err) < 0)
        return -1;
    int outcome = rf_tree_walk(to, prune_entry, &self, err);
    for (size_t i = 0; i < self.count; i++) {
        if (outcome == 0 && rf_remove_tree(self.gone[i], err) < 0)
            outcome = -1;
        free(self.gone[i]);
    }
    free(self.gone);
    return outcome;
}

int rf_tree_put(const char *root, const char *path, const char *text, mode_t mode, time_t date, rf_error **err)
{
    rf_autofree char *to = rf_format("%s%s", root, path);
    if (rf_write_file(to, text, strlen(text), mode, err) < 0)
        return -1;
    return set_date(to, date, err);
}

static int measure_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)path;
    (void)below;
    (void)err;
    struct rf_tree_sum *sum = data;
    if (S_ISDIR(status->st_mode))
        return 0;
    sum->files++;
    sum->bytes += (uint64_t)status->st_size;
    return 0;
}

int rf_tree_measure(const char *top, struct rf_tree_sum *ret_sum, rf_error **err)
{
    struct rf_tree_sum sum = {0};
    if (rf_tree_walk(top, measure_entry, &sum, err) < 0)
        return -1;
    *ret_sum = sum;
    return 0;
}

static int normalise_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)below;
    const mode_t mode = S_ISDIR(status->st_mode) ? 0755 : mode_of(status);
    if (lchown(path, 0, 0) < 0 || (!S_ISLNK(status->st_mode) && chmod(path, mode) < 0))
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be given to root", path);
    return set_date(path, *(const time_t *)data, err);
}

int rf_tree_normalise(const char *top, time_t date, rf_error **err)
{
    return rf_tree_walk(top, normalise_entry, &date, err);
}

static int clamp_entry(void *data, const char *path, const char *below, const struct stat *status, rf_error **err)
{
    (void)below;
    const time_t date = *(const time_t *)data;
    return status->st_mtime > date ? set_date(path, date, err) : 0;
}

int rf_tree_clamp(const char *top, time_t date, rf_error **err)
{
    struct stat status;
    if (rf_tree_walk(top, clamp_entry, &date, err) < 0)
        return -1;
    return lstat(top, &status) == 0 ? clamp_entry(&date, top, "", &status, err) : 0;
}
