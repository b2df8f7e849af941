<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Who is locked, and by whom: a user's column ldap_sid says it.
const CAME = 'directory'; // came from there
const LOCKED = 'directory:locked'; // and was locked by us, because he was gone or locked there

/** The mark and the status (1: may log in) that a user of the CRM must have. Only who was locked by us is unlocked by us. */
function decided(string $mark, int $status, bool $there): array
{
    if ($mark === CAME && !$there && $status === 1) {
        return [LOCKED, 0];
    }
    if ($mark === LOCKED) {
        return $there ? [CAME, 1] : [LOCKED, 0];
    }
    return [$mark, $status];
}
