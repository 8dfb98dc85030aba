"""Speak to another researcher's container.

Way: container
Control: stock DockerSpawner
Held by: `network none`: containers share no network
"""

ATTACK = """
import socket
print(socket.gethostbyname(socket.gethostname()))
"""


SPEAK = "import socket; socket.create_connection(({address!r}, 8888), 5).close()"


def test_control_it_works_at_stock(stock, stock_inside) -> None:
    _, other = stock.open_session("other")
    address = other.python(ATTACK).output.strip()
    outcome = stock_inside.python(SPEAK.format(address=address))
    assert outcome.worked, outcome.output


def test_no_container_has_an_address(inside) -> None:
    listing = inside.python("import socket; print([name for _, name in socket.if_nameindex()])")
    assert listing.output.strip() == "['lo']"
    assert not inside.python(SPEAK.format(address="172.17.0.2")).worked
