# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to a DNS server at a port of this host's loopback, as a client of the domain asks them."""

from .errors import LabError, LabMissing


def services(port, name, seconds=20):
    """The (host, port) of a name's SRV records, by TCP: that is what port forwarding passes on; [] where there is none."""
    try:
        import dns.exception
        import dns.resolver
    except ImportError:
        raise LabMissing("dnspython is not installed (apt install python3-dnspython)") from None
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], port, seconds
    try:
        answer = resolver.resolve(name, "SRV", tcp=True)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise LabError(f"DNS, {name}: {error}") from None
    return sorted((str(record.target).rstrip("."), record.port) for record in answer)
