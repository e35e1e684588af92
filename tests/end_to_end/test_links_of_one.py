"""One device has so many streams at once, and takes the place of nobody else."""

from aquila.testing.served import Serve, wait_until
from aquila.testing.tak_client import fresh


def test_a_device_has_so_many_streams_and_no_more(serve: Serve) -> None:
    node = serve("data", AQUILA_CONNECTIONS_PER_DEVICE="2")
    greedy, other = fresh("GREEDY"), fresh("OTHER")
    files = {name: node.enrolled(name) for name in (greedy, other)}
    with node.device_client(greedy, files[greedy]) as first, node.device_client(greedy, files[greedy]) as second:
        for client in (first, second):
            client.hear(lambda each: each.get("type") == "t-x-takp-v")
        with node.device_client(greedy, files[greedy]) as third:
            wait_until(lambda: not third.read(0.1) and third.is_closed, "the third is closed")
        assert "has 2 links already" in str(node.api.entries(kind="act", limit=100))
        with node.device_client(other, files[other]) as client:
            client.report()
            first.hear_uid(client.uid)
    wait_until(lambda: all(row["state"] == "down" for row in node.api.links()), "the node has heard that they left")
    with node.device_client(greedy, files[greedy]) as again:
        again.hear(lambda each: each.get("type") == "t-x-takp-v")
