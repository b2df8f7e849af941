<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Who is calling? The telephone system asks with phone=NUMBER and securitykey=KEY; the answer is a name, or "Unknown".
//
// Numbers are compared in one form (E.164), however the CRM or the telephone system writes them: +49 30 1234567, 0049301234567,
// 030/1234567, +49 (0)30 1234567. A telephone system's "+" that was not encoded arrives as a blank, and is taken for what it was.
const SHORTEST = 3; // an internal number; nobody's by chance
const LAST_DIGITS = 6; // what the database looks for; the rest is compared here

/** +49301234567; internal numbers as they are. */
function normal_number(string $text, string $country): string
{
    $plus = preg_match('/^\s*\+/', $text) || preg_match('/^ ' . preg_quote($country, '/') . '/', $text);
    $digits = preg_replace('/[^0-9]/', '', preg_replace('/\(0\)/', '', $text));
    if ($plus) {
        return '+' . $digits;
    }
    if (str_starts_with($digits, '00')) {
        return '+' . substr($digits, 2);
    }
    return str_starts_with($digits, '0') ? '+' . $country . substr($digits, 1) : $digits;
}

/** Of SQL's LIKE: these digits at the end, whatever stands between them. */
function like_pattern(string $number): string
{
    $last = substr(preg_replace('/[^0-9]/', '', $number), -LAST_DIGITS);
    return '%' . implode('%', str_split($last)) . '%';
}

/** The company (and the person, where it is a person's number), or null. */
function caller_of(object $db, string $prefix, int $entity, string $number, string $country): ?string
{
    $like = "LIKE '" . $db->escape(like_pattern($number)) . "'";
    $rows = $db->query("SELECT s.nom AS company, '' AS person, s.phone AS a, '' AS b, '' AS c FROM {$prefix}societe AS s"
        . " WHERE s.entity = $entity AND s.phone $like"
        . " UNION ALL SELECT s.nom, TRIM(CONCAT(COALESCE(p.firstname, ''), ' ', COALESCE(p.lastname, ''))), p.phone, p.phone_mobile, p.phone_perso"
        . " FROM {$prefix}socpeople AS p LEFT JOIN {$prefix}societe AS s ON s.rowid = p.fk_soc"
        . " WHERE p.entity = $entity AND (p.phone $like OR p.phone_mobile $like OR p.phone_perso $like)");
    $wanted = normal_number($number, $country);
    while ($rows && ($row = $db->fetch_object($rows))) {
        foreach ([$row->a, $row->b, $row->c] as $known) {
            if ((string) $known !== '' && normal_number($known, $country) === $wanted) {
                return implode(', ', array_filter([(string) $row->company, (string) $row->person], 'strlen'));
            }
        }
    }
    return null;
}

function answer(int $status, string $words): void
{
    http_response_code($status);
    header('Content-Type: text/plain; charset=utf-8');
    header('Cache-Control: no-store');
    echo $words, "\n";
    exit;
}

define('NOLOGIN', '1');
define('NOSESSION', '1');
define('NOREQUIREMENU', '1');
define('NOTOKENRENEWAL', '1');
require getenv('RICHTFEST_DOLIBARR') ?: '/var/www/dolibarr/htdocs/master.inc.php';

$key = getDolGlobalString('CLICKTODIAL_KEY_FOR_CIDLOOKUP');
$given = $_GET['securitykey'] ?? '';
$phone = $_GET['phone'] ?? '';
if ($key === '' || !is_string($given) || !hash_equals($key, $given)) {
    answer(403, 'Bad key');
}
$country = getDolGlobalString('RICHTFEST_COUNTRY_CODE') ?: '49';
if (!is_string($phone) || strlen($phone) > 40 || strlen(preg_replace('/[^0-9]/', '', $phone)) < SHORTEST) {
    answer(400, 'Bad number');
}
answer(200, caller_of($db, MAIN_DB_PREFIX, (int) $conf->entity, $phone, $country) ?? 'Unknown');
