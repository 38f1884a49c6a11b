"""The tables of what happened, as the lineage has them. The benchmark times them apart from the rest."""

from graphlib import TopologicalSorter

from benchmarks.peers import Peer
from lgs_assets.contracts.model import model_path
from lgs_assets.wiring.lineage import ASSETS

GROUPS = {"history", "retention", "products", "countries", "drivers"}
"""Their groups of assets."""
BESIDES = {"customer_profile"}
"""Those of other groups that some of them are built from."""


def tables() -> list[str]:
    """All of them, each after those that it is built from."""
    reads = {asset.key.path[-1]: sorted(key.path[-1] for key in asset.dependency_keys) for asset in ASSETS}
    groups = {asset.key.path[-1]: asset.group_names_by_key[asset.key] for asset in ASSETS}
    order = TopologicalSorter({table: reads[table] for table in sorted(reads)}).static_order()
    return [table for table in order if groups[table] in GROUPS or table in BESIDES]


def built_by(peer: Peer) -> list[str]:
    """Those that a peer builds."""
    if peer.only:
        return list(peer.only)
    return [table for table in tables() if peer.is_ours or model_path(table).exists()]
