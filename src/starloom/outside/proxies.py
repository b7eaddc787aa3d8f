"""Proxies of the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY for what is reached without one."""

import contextlib
import ipaddress
import urllib.request

from starloom.outside.addresses import literal


def proxy_for(scheme: str, host: str) -> str:
    """The URL of the proxy to reach `host` by, which may hold a password; "" where none is set."""
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all") or ""
    if not proxy or _bypasses(host, proxies):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _bypasses(host: str, proxies: dict[str, str]) -> bool:
    """Whether NO_PROXY names `host`: names and their subdomains, addresses, networks as 10.0.0.0/8, or `*`."""
    if urllib.request.proxy_bypass_environment(host, proxies):  # type: ignore[attr-defined]  # unknown to typeshed
        return True
    spelled = literal(host)
    if spelled is None:
        return False
    for entry in proxies.get("no", "").split(","):
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(spelled) in ipaddress.ip_network(entry.strip().strip("[]"), strict=False):
                return True
    return False
