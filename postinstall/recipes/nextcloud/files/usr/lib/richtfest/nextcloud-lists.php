<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Everybody who has a calendar gets a list for tasks: the calendar that Nextcloud makes by itself takes none.
require_once '/var/www/nextcloud/lib/base.php';

$db = \OCP\Server::get(\OCP\IDBConnection::class);
$backend = \OCP\Server::get(\OCA\DAV\CalDAV\CalDavBackend::class);
$rows = $db->executeQuery(
    "SELECT DISTINCT principaluri FROM oc_calendars c WHERE principaluri LIKE 'principals/users/%' AND NOT EXISTS "
    . "(SELECT 1 FROM oc_calendars t WHERE t.principaluri = c.principaluri AND t.components LIKE '%VTODO%')"
);
while ($principal = $rows->fetchOne()) {
    $backend->createCalendar($principal, 'tasks', [
        '{DAV:}displayname' => 'Aufgaben',
        '{urn:ietf:params:xml:ns:caldav}supported-calendar-component-set'
            => new \Sabre\CalDAV\Xml\Property\SupportedCalendarComponentSet(['VTODO']),
    ]);
    echo "task list for $principal\n";
}
