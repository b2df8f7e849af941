/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A member of an array, as far as libblkid looks at it. */
#pragma once

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

/* struct mdp1_super_block of the kernel's include/uapi/linux/raid/md_p.h; what libblkid looks at. */
static inline void write_superblock(const char *path)
{
    uint8_t block[512] = {0xfc, 0x4e, 0x2b, 0xa9, 1};
    static const char digits[] = "169bfa67cdb7530185932f7ec93a84c8";
    for (size_t i = 0; i < 16; i++)
        sscanf(digits + 2 * i, "%2hhx", &block[16 + i]);
    block[144] = 8; /* super_offset, in sectors */
    rf_autofd int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, block, sizeof(block), 4096), sizeof(block));
}
