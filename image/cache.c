/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "image/cache.h"

#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { KEY_DIGITS = 16 };

static const char lock_name[] = ".richtfest-cache"; /* the lock, and the mark that the directory is a cache */
static const char new_prefix[] = ".new-";

void rf_piece_seal(struct rf_piece *piece, const char *cache, const char *name)
{
    rf_key_digest(&piece->key, piece->digest);
    piece->name = rf_strdup(name);
    piece->path = rf_format("%s/%s-%.*s", cache, name, KEY_DIGITS, piece->digest);
    piece->new = rf_format("%s/%s%s", cache, new_prefix, name);
}

void rf_piece_clear(struct rf_piece *piece)
{
    rf_key_clear(&piece->key);
    free(piece->name);
    free(piece->path);
    free(piece->new);
    *piece = (struct rf_piece){0};
}

char *rf_piece_path(const struct rf_piece *piece, const char *below)
{
    return rf_format("%s/%s", piece->path, below);
}

char *rf_piece_new_path(const struct rf_piece *piece, const char *below)
{
    return rf_format("%s/%s", piece->new, below);
}

bool rf_piece_done(const struct rf_piece *piece)
{
    rf_autofree char *inputs = rf_piece_path(piece, "inputs");
    return rf_exists(inputs);
}

int rf_piece_begin(const struct rf_piece *piece, rf_error **err)
{
    if (rf_remove_tree(piece->new, err) < 0)
        return -1;
    return rf_make_dirs(piece->new, 0755, err);
}

int rf_piece_commit(const struct rf_piece *piece, rf_error **err)
{
    rf_autofree char *inputs = rf_piece_new_path(piece, "inputs");
    const char *text = piece->key.inputs ? piece->key.inputs : "";
    if (rf_write_file(inputs, text, strlen(text), 0644, err) < 0)
        return -1;
    if (rf_remove_tree(piece->path, err) < 0) /* one that was to be refreshed */
        return -1;
    if (rename(piece->new, piece->path) < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be renamed to %s", piece->new, piece->path);
    return 0;
}

void rf_piece_abandon(const struct rf_piece *piece)
{
    rf_remove_tree(piece->new, NULL);
}

/* NAME-KEY. */
static bool piece_name(const char *name)
{
    const char *dash = strrchr(name, '-');
    return dash && strlen(dash + 1) == KEY_DIGITS && strspn(dash + 1, "0123456789abcdef") == KEY_DIGITS;
}

static int other_entry(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, lock_name) != 0 && !piece_name(name) &&
           strncmp(name, new_prefix, strlen(new_prefix)) != 0;
}

static void free_names(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static int refuse_strangers(const char *cache, rf_error **err)
{
    struct dirent **names = NULL;
    int count = scandir(cache, &names, other_entry, alphasort);
    int outcome = count > 0 ? rf_fail(err, RF_USAGE,
                                      "the cache must be a directory of its own, because old pieces in it are removed; "
                                      "%s holds %s too",
                                      cache, names[0]->d_name)
                            : 0;
    if (count > 0)
        free_names(names, count);
    return outcome;
}

static int remove_new(const char *cache, rf_error **err)
{
    rf_autodir DIR *directory = opendir(cache);
    if (!directory)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", cache);
    for (struct dirent *entry; (entry = readdir(directory));) {
        rf_autofree char *path = rf_format("%s/%s", cache, entry->d_name);
        if (strncmp(entry->d_name, new_prefix, strlen(new_prefix)) == 0 && rf_remove_tree(path, err) < 0)
            return -1;
    }
    return 0;
}

int rf_cache_open(const char *cache, int *ret_fd, rf_error **err)
{
    if (rf_make_dirs(cache, 0755, err) < 0 || refuse_strangers(cache, err) < 0)
        return -1;
    rf_autofree char *lock = rf_format("%s/%s", cache, lock_name);
    rf_autofd int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be made", lock);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return rf_fail(err, RF_FAILED, "another build works in %s: wait for it, or name another cache", cache);
    if (remove_new(cache, err) < 0)
        return -1;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static bool wanted(const char *name, const struct rf_piece *const *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(strrchr(pieces[i]->path, '/') + 1, name) == 0)
            return true;
    return false;
}

int rf_cache_prune(const char *cache, const struct rf_piece *const *pieces, size_t count, rf_error **err)
{
    rf_autodir DIR *directory = opendir(cache);
    if (!directory)
        return rf_fail_errno(err, RF_FAILED, errno, "%s can't be read", cache);
    for (struct dirent *entry; (entry = readdir(directory));) {
        rf_autofree char *path = rf_format("%s/%s", cache, entry->d_name);
        if (piece_name(entry->d_name) && !wanted(entry->d_name, pieces, count) && rf_remove_tree(path, err) < 0)
            return -1;
    }
    return 0;
}
