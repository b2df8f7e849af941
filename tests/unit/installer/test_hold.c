/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mapped files are in memory afterwards, also those that were never looked into. */
#include "base/file.h"
#include "installer/hold.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = 1 << 20 };

static size_t resident(void *where)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    unsigned char seen[SIZE / 4096] = {0};
    assert_int_equal(mincore(where, SIZE, seen), 0);
    for (size_t i = 0; i < SIZE / page; i++)
        count += seen[i] & 1;
    return count * page;
}

static void a_mapped_file_is_read(void **state)
{
    (void)state;
    rf_autofree char *directory = unit_directory(), *path = rf_format("%s/file", directory);
    rf_autofree char *data = rf_alloc(SIZE);
    assert_int_equal(rf_write_file(path, data, SIZE, 0644, NULL), 0);
    rf_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *where = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(where, MAP_FAILED);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    rf_hold_program();
    rf_hold_program();
#ifdef __SANITIZE_ADDRESS__
    const bool may = false; /* its mlock(2) does nothing */
#else
    const bool may = geteuid() == 0; /* others may lock 8 MiB only (RLIMIT_MEMLOCK) */
#endif
    if (may)
        assert_int_equal(resident(where), SIZE);
    munmap(where, SIZE);
    rf_remove_tree(directory, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_mapped_file_is_read)};
    return cmocka_run_group_tests_name("installer/hold", tests, NULL, NULL);
}
