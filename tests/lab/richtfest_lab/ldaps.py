# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory asked by LDAP over TLS, at a port of this host's loopback, its certificate verified for the name that it goes by."""

import socket
import ssl

from .errors import LabError, LabMissing


def reachable(port, name, authority, seconds=30):
    """A handshake; returns the TLS version. LabError or OSError where it is not trusted or not there."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            return tls.version()


def module():
    """ldap3, or a reason to skip."""
    try:
        import ldap3
    except ImportError:
        raise LabMissing("ldap3 is not installed (apt install python3-ldap3)") from None
    return ldap3


def bind(port, name, authority, user, password, seconds=60):
    """A connection bound as that user (user@REALM); LabError where the directory does not take the password."""
    ldap3 = module()
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=authority, valid_names=[name], sni=name)
    server = ldap3.Server("127.0.0.1", port=port, use_ssl=True, tls=tls, connect_timeout=seconds, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, user=user, password=password, receive_timeout=seconds)
    try:
        bound = connection.bind()
    except ldap3.core.exceptions.LDAPException as error:
        raise LabError(f"LDAPS: {error}") from None
    if not bound:
        raise LabError(f"LDAPS: {user}: {connection.result['description']}")
    return connection


def groups_of(connection, base, account):
    """The names of the groups that an account is in directly."""
    ldap3 = module()
    escaped = ldap3.utils.conv.escape_filter_chars(account)
    connection.search(base, f"(sAMAccountName={escaped})", attributes=["memberOf"])
    if not connection.entries:
        raise LabError(f"the directory has no {account}, or does not show it")
    return sorted(dn.split(",")[0].partition("=")[2] for dn in connection.entries[0].memberOf.values)
