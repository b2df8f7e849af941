<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Everybody who has a calendar gets a list for tasks: the calendar that Nextcloud makes by itself takes none. What goes wrong for one keeps nobody
// else from his; it is said, and tried again the next time.
require_once '/var/www/nextcloud/lib/base.php';

$db = \OCP\Server::get(\OCP\IDBConnection::class);
$backend = \OCP\Server::get(\OCA\DAV\CalDAV\CalDavBackend::class);
$rows = $db->executeQuery(
    "SELECT DISTINCT principaluri FROM oc_calendars c WHERE principaluri LIKE 'principals/users/%' AND NOT EXISTS "
    . "(SELECT 1 FROM oc_calendars t WHERE t.principaluri = c.principaluri AND t.components LIKE '%VTODO%')"
);
$principals = [];
while ($principal = $rows->fetchOne()) {
    $principals[] = $principal;
}
$status = 0;
foreach ($principals as $principal) {
    try {
        $rows = $db->executeQuery('SELECT uri FROM oc_calendars WHERE principaluri = ?', [$principal]);
        $taken = []; // somebody may have called a calendar so, or thrown it away
        while ($uri = $rows->fetchOne()) {
            $taken[] = strtolower($uri);
        }
        for ($uri = 'tasks', $n = 2; in_array($uri, $taken, true); $n++) {
            $uri = "tasks-$n";
        }
        $backend->createCalendar($principal, $uri, [
            '{DAV:}displayname' => 'Aufgaben',
            '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set'
                => new \Sabre\CalDAV\Xml\Property\SupportedCalendarComponentSet(['VTODO']),
        ]);
        echo "task list for $principal\n";
    } catch (\Throwable $why) {
        fwrite(STDERR, "task list for $principal: " . $why->getMessage() . "\n");
        $status = 1;
    }
}
exit($status);
