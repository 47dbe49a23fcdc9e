"""Which stored states have read the beginning of a text."""

from collections.abc import Iterable, Sequence

from mmxcli.state.chain import TokenChain
from mmxcli.state.snapshot import Snapshot


def prefixes(ids: Iterable[Sequence[int]], snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Those of `snapshots` that have read exactly the first of `ids`, by how many. Walks the chain over the tokens
    themselves (TokenChain), so that one that has read anything else is never among them; takes no more of `ids` than
    the longest has read."""
    chains: dict[int, dict[str, Snapshot]] = {}
    for snapshot in snapshots:
        chains.setdefault(snapshot.position, {})[snapshot.chain] = snapshot
    wanted = sorted(chains, reverse=True)  # the next one last
    chain, position, found = TokenChain(), 0, []
    for piece in ids:
        start = 0
        while wanted and wanted[-1] <= position + len(piece):
            place = wanted.pop()
            chain.extend(piece[start : place - position])
            start = place - position
            if known := chains[place].get(chain.hexdigest()):
                found.append(known)
        if not wanted:
            break
        chain.extend(piece[start:])
        position += len(piece)
    return found
