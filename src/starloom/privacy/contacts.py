"""Where somebody is reached: e-mail addresses, and addresses of machines."""

from starloom.privacy import emails, ip_addresses

DETECTORS = (*emails.DETECTORS, *ip_addresses.DETECTORS)
