"""Replace the session's socket by a link to Docker's.

Way: gateway
Control: a program that connects to the path, which follows the link
Held by: the gateway opens the socket without following links, checks that it is a socket of the session's user, and connects to what it opened
"""

import socket

from tests.redteam.roads import moved_socket


def test_control_a_plain_connect_follows_the_link(evil_session) -> None:
    link = "ln -s jupyter.aside /run/enclave/jupyter.sock"
    with moved_socket(evil_session, link), socket.socket(socket.AF_UNIX) as plain:
        plain.connect(evil_session.socket)


def test_the_gateway_does_not(evil_session) -> None:
    with moved_socket(evil_session, "ln -s /var/run/docker.sock /run/enclave/jupyter.sock"):
        answer = evil_session.get("/api/kernels")
    assert answer.status_code >= 500
    assert "docker" not in answer.text.lower()


def test_nor_for_a_link_to_its_own_socket(evil_session) -> None:
    with moved_socket(evil_session, "ln -s jupyter.aside /run/enclave/jupyter.sock"):
        assert evil_session.get("/api/kernels").status_code >= 500


def test_a_file_in_its_place_is_no_socket(evil_session) -> None:
    with moved_socket(evil_session, "echo x > /run/enclave/jupyter.sock"):
        assert evil_session.get("/api/kernels").status_code >= 500
