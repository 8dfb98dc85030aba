"""Connect to a kernel from another site's page with the reader's cookie.

Way: gateway
Control: the same connection from the session's own origin, which works
Held by: the gateway refuses a websocket, and anything that changes something, from another origin
"""

import asyncio

import aiohttp
import pytest

from hub.tour.kernel import LoopbackResolver, cookies_for


def connect(researcher, kernel: str, origin: str | None) -> int:
    async def attempt() -> int:
        cookie = "; ".join(
            f"{name}={value}" for name, value in cookies_for(researcher.browser, researcher.session).items()
        )
        headers = {"Cookie": cookie, **({"Origin": origin} if origin else {})}
        address = f"{researcher.session.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?session_id=x"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=LoopbackResolver())) as client:
            try:
                async with client.ws_connect(address, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return asyncio.run(attempt())


@pytest.fixture(scope="module")
def kernel(researcher) -> str:
    return researcher.kernel()


def test_control_its_own_origin_works(researcher, kernel) -> None:
    assert connect(researcher, kernel, researcher.session) == 101


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://enclave.localhost", None])
def test_another_origin_is_refused(researcher, kernel, origin) -> None:
    assert connect(researcher, kernel, origin) == 403
