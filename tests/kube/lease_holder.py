"""A process of its own that holds the Lease and says, again and again, whether it might write.

`python -m tests.kube.lease_holder NAMESPACE NAME IDENTITY`; each line: when it looked (steady clock), fresh, lost.
"""

import asyncio
import json
import sys

from coldsend_operator.kube.client import KubeClient
from coldsend_operator.kube.lease import Election, steady
from coldsend_operator.logs import configure_logs
from tests.kube.support import QUICK


async def hold(namespace: str, name: str, identity: str) -> None:
    async with KubeClient(lambda kind, verb: None) as client:
        election = Election(client, namespace, name, identity=identity, pace=QUICK)
        async with election:
            lost = asyncio.create_task(election.lost())
            while True:
                at = steady()
                look = {"at": at, "fresh": election.fresh(), "lost": lost.done()}
                sys.stdout.write(json.dumps(look) + "\n")
                sys.stdout.flush()
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    configure_logs("json", "error")
    asyncio.run(hold(*sys.argv[1:]))
