<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// Changes Dolibarr through its own objects, as www-data.
//
//   dolibarr.php modules           once, at image build: the modules, and the group of those who work with the CRM
//   dolibarr.php settings          {company, language, dial_url, country_code, base_dn?, password?, callerid?} on standard input
//   dolibarr.php users             the directory's users become Dolibarr's; who is gone or locked there is locked here, and unlocked when
//                                  he is back. Whom the CRM's admin has locked stays locked.
if (php_sapi_name() !== 'cli') {
    exit(1);
}
error_reporting(E_ALL & ~E_DEPRECATED & ~E_NOTICE & ~E_WARNING);
define('NOSESSION', '1');
define('NOLOGIN', '1');
define('EVEN_IF_ONLY_LOGIN_ALLOWED', '1');
require '/var/www/dolibarr/htdocs/master.inc.php';
require_once DOL_DOCUMENT_ROOT . '/core/lib/admin.lib.php';
require_once DOL_DOCUMENT_ROOT . '/user/class/usergroup.class.php';

require_once __DIR__ . '/dolibarr-people.php';

const STAFF = 'Mitarbeiter';

function fail(string $words): void
{
    fwrite(STDERR, $words . "\n");
    exit(1);
}

function set_constant(string $name, ?string $value): void
{
    global $db, $conf;
    if (getDolGlobalString($name) === (string) $value) {
        return;
    }
    $value === null || $value === '' ? dolibarr_del_const($db, $name, $conf->entity)
        : dolibarr_set_const($db, $name, $value, 'chaine', 0, '', $conf->entity);
}

function administrator(): User
{
    global $db, $user;
    $user = new User($db);
    $user->fetch(0, 'admin') > 0 || fail('there is no user admin');
    $user->loadRights();
    return $user;
}

function staff(): UserGroup
{
    global $db, $conf;
    $group = new UserGroup($db);
    if ($group->fetch(0, STAFF) <= 0) {
        $group = new UserGroup($db);
        $group->name = $group->nom = STAFF;
        $group->entity = $conf->entity;
        $group->create() > 0 || fail('the group ' . STAFF . ': ' . $group->error);
        foreach (['societe', 'propale', 'agenda'] as $module) {
            $group->addrights(0, $module, '', $conf->entity);
        }
        $group->addrights(0, 'user', 'self', $conf->entity); // one's own card: the extension that click-to-dial rings
    }
    return $group;
}

function modules(): void
{
    foreach (['modSociete', 'modPropale', 'modFacture', 'modAgenda', 'modClickToDial', 'modApi'] as $module) {
        $done = activateModule($module);
        empty($done['errors']) || fail($module . ': ' . implode(', ', $done['errors']));
    }
    set_constant('MAIN_INFO_SOCIETE_COUNTRY', '5:DE:Germany');
    set_constant('MAIN_MONNAIE', 'EUR');
    set_constant('MAIN_SECURITY_DISABLEFORGETPASSLINK', '1'); // passwords are the directory's
    set_constant('MAIN_FIRST_PING_OK_DATE', 'disabled'); // no call home
    set_constant('MAIN_FIRST_PING_OK_ID', 'disabled');
    staff();
}

function settings(): void
{
    $wanted = json_decode(stream_get_contents(STDIN), true);
    set_constant('MAIN_INFO_SOCIETE_NOM', $wanted['company'] ?? 'Company');
    set_constant('MAIN_LANG_DEFAULT', $wanted['language'] ?? 'de_DE');
    set_constant('MAIN_ONLY_LOGIN_ALLOWED', null);
    $dial = $wanted['dial_url'] ?? '';
    set_constant('CLICKTODIAL_URL', $dial);
    set_constant('CLICKTODIAL_USE_TEL_LINK_ON_PHONE_NUMBERS', $dial === '' ? '1' : null);
    set_constant('RICHTFEST_COUNTRY_CODE', (string) ($wanted['country_code'] ?? 49)); // dolibarr-caller.php
    // where Dolibarr's LDAP class looks for users, whatever conf.php says of the login
    $base = $wanted['base_dn'] ?? null;
    foreach (['LDAP_SERVER_DN' => $base, 'LDAP_USER_DN' => $base, 'LDAP_FIELD_LOGIN' => 'samaccountname', 'LDAP_FIELD_NAME' => 'sn',
        'LDAP_FIELD_FIRSTNAME' => 'givenname', 'LDAP_FIELD_MAIL' => 'mail'] as $name => $value) {
        set_constant($name, $base === null ? null : $value);
    }
    if (!empty($wanted['callerid'])) {
        set_constant('CLICKTODIAL_KEY_FOR_CIDLOOKUP', $wanted['callerid']);
    }
    if (!empty($wanted['password'])) {
        $admin = administrator();
        is_string($admin->setPassword($admin, $wanted['password'], 0, 1)) || fail('the password of admin: ' . $admin->error);
    }
}

/** The directory's people: login => attributes. */
function people(): array
{
    global $dolibarr_main_auth_ldap_host, $dolibarr_main_auth_ldap_port, $dolibarr_main_auth_ldap_dn, $dolibarr_main_auth_ldap_filter;
    global $dolibarr_main_auth_ldap_admin_login, $dolibarr_main_auth_ldap_admin_pass;
    $ldap = ldap_connect($dolibarr_main_auth_ldap_host . ':' . $dolibarr_main_auth_ldap_port);
    ldap_set_option($ldap, LDAP_OPT_PROTOCOL_VERSION, 3);
    ldap_set_option($ldap, LDAP_OPT_REFERRALS, 0);
    ldap_set_option($ldap, LDAP_OPT_NETWORK_TIMEOUT, 15);
    @ldap_bind($ldap, $dolibarr_main_auth_ldap_admin_login, $dolibarr_main_auth_ldap_admin_pass)
        || fail('the directory refuses the service account: ' . ldap_error($ldap));
    $filter = str_replace('%1%', '*', $dolibarr_main_auth_ldap_filter);
    $found = [];
    $cookie = '';
    do {
        $result = ldap_search($ldap, $dolibarr_main_auth_ldap_dn, $filter, ['samaccountname', 'givenname', 'sn', 'mail', 'telephonenumber'],
            0, 0, 0, LDAP_DEREF_NEVER,
            [['oid' => LDAP_CONTROL_PAGEDRESULTS, 'value' => ['size' => 500, 'cookie' => $cookie]]]);
        $result || fail('searching the directory: ' . ldap_error($ldap));
        ldap_parse_result($ldap, $result, $code, $dn, $message, $referrals, $controls);
        foreach (ldap_get_entries($ldap, $result) as $entry) {
            if (is_array($entry)) {
                $found[strtolower($entry['samaccountname'][0])] = $entry;
            }
        }
        $cookie = $controls[LDAP_CONTROL_PAGEDRESULTS]['value']['cookie'] ?? '';
    } while ($cookie !== '');
    return $found;
}

function make_user(User $admin, string $login, array $entry, UserGroup $group): void
{
    global $db, $conf;
    $person = new User($db);
    $person->login = $login;
    $person->lastname = $entry['sn'][0] ?? $login;
    $person->firstname = $entry['givenname'][0] ?? '';
    $person->email = $entry['mail'][0] ?? '';
    $person->office_phone = $entry['telephonenumber'][0] ?? '';
    $person->entity = $conf->entity;
    $person->ldap_sid = CAME; // marks who came from there
    if ($person->create($admin, 1) <= 0) {
        fwrite(STDERR, "user $login: $person->error\n");
        return;
    }
    $db->query("UPDATE " . MAIN_DB_PREFIX . "user SET ldap_sid = '" . CAME . "' WHERE rowid = " . (int) $person->id);
    $person->SetInGroup($group->id, $conf->entity, 1);
    echo "user $login made\n";
}

function users(): void
{
    global $db, $dolibarr_main_auth_ldap_host;
    if (empty($dolibarr_main_auth_ldap_host)) {
        return;
    }
    $admin = administrator();
    $group = staff();
    $there = people();
    unset($there['admin']); // this one is Dolibarr's own
    $rows = $db->query("SELECT rowid, login, statut, ldap_sid FROM " . MAIN_DB_PREFIX . "user");
    $have = [];
    while ($row = $db->fetch_object($rows)) {
        $have[strtolower($row->login)] = $row;
    }
    foreach ($there as $login => $entry) {
        if (!isset($have[$login])) {
            make_user($admin, $login, $entry, $group);
        }
    }
    foreach ($have as $login => $row) {
        [$mark, $status] = decided((string) $row->ldap_sid, (int) $row->statut, isset($there[$login]));
        if ($mark !== (string) $row->ldap_sid) { // before the status: what is written down and not done is done the next time
            $db->query("UPDATE " . MAIN_DB_PREFIX . "user SET ldap_sid = '" . $mark . "' WHERE rowid = " . (int) $row->rowid);
        }
        if ((int) $row->statut !== $status) {
            $person = new User($db);
            $person->fetch($row->rowid);
            $person->setstatus($status);
            echo "user $login " . ($status ? 'unlocked' : 'locked') . "\n";
        }
    }
}

$work = ['modules' => 'modules', 'settings' => 'settings', 'users' => 'users'][$argv[1] ?? ''] ?? null;
$work ? $work() : fail('modules, settings or users');
