/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

/* Holds this program and its libraries in memory (mlock(2) of every mapped file), so that what it does and says from now on needs no
 * medium that was pulled: a page that can't be read back is the end of a process (SIGBUS). What is not read yet is read now,
 * which blocks as long as that takes; may be repeated, for libraries that came later. Where the kernel refuses (too little
 * memory), the old risk stays, and nothing else. */
void rf_hold_program(void);
