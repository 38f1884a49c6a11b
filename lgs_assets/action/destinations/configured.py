"""The destinations that the configuration names, and the key without which none is told anything."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lgs_assets.action.destinations.drop import Drop
from lgs_assets.action.destinations.hubspot import HubSpot
from lgs_assets.action.destinations.klaviyo import Klaviyo
from lgs_assets.action.destinations.mailchimp import Mailchimp
from lgs_assets.action.destinations.protocol import Destination
from lgs_assets.action.destinations.webhook import Webhook
from lgs_assets.configuration import Configuration
from lgs_assets.errors import UsageError
from lgs_assets.places import EXTRAS

NEEDS = {
    "drop": "LGS_DROP",
    "webhook": "LGS_WEBHOOK_URL and LGS_WEBHOOK_KEY",
    "klaviyo": "LGS_KLAVIYO_KEY",
    "mailchimp": "LGS_MAILCHIMP_KEY and LGS_MAILCHIMP_LIST",
    "hubspot": "LGS_HUBSPOT_KEY",
}
"""Every destination, and what must be set for it."""
DELETING = {kind.name for kind in (Drop, Webhook, Klaviyo, Mailchimp, HubSpot) if kind.erasure != "none"}
"""Those that can be asked to delete a person."""
WITH_OWN_IDS = {kind.name for kind in (Drop, Webhook, Klaviyo, Mailchimp, HubSpot) if kind.has_own_ids}
"""Those to which another address is another contact."""
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Activation:
    """Where lists may go, and with which key. Looked up when a plan is applied: nothing else depends on them."""

    configuration: Configuration

    def destination(self, name: str) -> Destination:
        """A destination by its name. Raises UsageError if it is not configured."""
        return destination_named(self.configuration, name)

    @property
    def destinations(self) -> tuple[list[Destination], dict[str, str]]:
        """Every destination that is configured; and what is wrong with how others are, by their names."""
        return configured_destinations(self.configuration)

    @property
    def key(self) -> str | None:
        """The key of the pseudonyms."""
        return self.configuration.pseudonym_key


def destination_named(configuration: Configuration, name: str) -> Destination:
    """A destination. Raises UsageError if there is none of the name, or it is not configured."""
    if name not in NEEDS:
        raise UsageError(f"There is no destination {name!r}. There are: {', '.join(NEEDS)}.")
    if not (found := _configured(configuration, name)):
        raise UsageError(f"The destination {name} is not configured: set {NEEDS[name]}.")
    return found


def configured_destinations(configuration: Configuration) -> tuple[list[Destination], dict[str, str]]:
    """Every destination that is configured; and what is wrong with how others are, by their names."""
    found: list[Destination] = []
    faults: dict[str, str] = {}
    for name in NEEDS:
        try:
            if destination := _configured(configuration, name):
                found.append(destination)
        except UsageError as error:
            faults[name] = str(error)
    return found, faults


def _configured(given: Configuration, name: str) -> Destination | None:
    match name:
        case "drop" if given.drop:
            return Drop(_place(given.drop), hashes_emails=given.drop_emails == "sha256")
        case "webhook" if given.webhook_url and given.webhook_key:
            url, key = given.webhook_url.get_secret_value(), given.webhook_key.get_secret_value()
            return Webhook(_address(url), key, given.webhook_rows)
        case "klaviyo" if given.klaviyo_key:
            return Klaviyo(_header_safe(given.klaviyo_key.get_secret_value(), "LGS_KLAVIYO_KEY"))
        case "mailchimp" if given.mailchimp_key and given.mailchimp_list:
            key = given.mailchimp_key.get_secret_value()
            if not re.fullmatch(r"[0-9A-Za-z]+-[a-z]{2}\d{1,3}", key):
                raise UsageError("LGS_MAILCHIMP_KEY: expected a key that ends with its data centre, such as -us21.")
            return Mailchimp(key, given.mailchimp_list)
        case "hubspot" if given.hubspot_key:
            key = _header_safe(given.hubspot_key.get_secret_value(), "LGS_HUBSPOT_KEY")
            return HubSpot(key, subscription=given.hubspot_subscription)
    return None


def _place(location: str) -> str:
    """The place of a drop, if addresses may go there. Raises UsageError for others: those of FTP and HTTP, which do not
    encrypt, a folder that depends on where a command is started, and a server without a folder.
    """
    scheme, separator, _ = location.partition("://")
    if separator and scheme not in {"file", "sftp", *EXTRAS}:
        raise UsageError(
            f"LGS_DROP: expected a folder, sftp://USER@HOST/FOLDER, or the URL of a bucket ({', '.join(EXTRAS)}); "
            f"found {scheme}://. To carry files elsewhere, let a tool of the operating system take them once their "
            ".done is there."
        )
    if not separator and not Path(location).is_absolute():
        raise UsageError(f"LGS_DROP: expected the full path of a folder, such as /srv/lists; found {location}.")
    if scheme == "sftp" and not _is_on_server(location):
        raise UsageError(f"LGS_DROP: expected sftp://USER@HOST/FOLDER; found {location}.")
    return location


def _is_on_server(location: str) -> bool:
    """Whether a URL has a server and a folder for the parser that sends, and nothing that it would leave out."""
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError:
        return False
    return bool(parts.hostname and parts.path.strip("/") and port != 0 and not re.search(r"[\s?#]", location))


def _address(url: str) -> str:
    """The URL of a webhook, if lists may go there. Raises UsageError, which does not show it: it may be a secret."""
    try:
        parts = urlsplit(url)
        is_sound = parts.port != 0 and parts.username is None and bool(re.fullmatch(r"[!-~]+", url))
    except ValueError:
        is_sound = False
    is_local = is_sound and parts.scheme == "http" and parts.hostname in _LOCAL
    if not is_sound or not parts.hostname or not (parts.scheme == "https" or is_local):
        raise UsageError(
            "LGS_WEBHOOK_URL: expected an address that begins with https://, or http:// on this machine, without a "
            "login or spaces in it."
        )
    return url


def _header_safe(key: str, variable: str) -> str:
    """A key that fits into a header. Raises UsageError, which does not show it."""
    if not re.fullmatch(r"[!-~]+", key):
        raise UsageError(f"{variable}: expected a key of letters, digits and signs, without spaces.")
    return key
