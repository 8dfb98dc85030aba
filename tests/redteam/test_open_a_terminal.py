"""Open a terminal, whose output no message type meters.

Way: gateway
Control: stock DockerSpawner with jupyterhub-singleuser
Held by: terminals are a setting of the tier, closed from tier 2 up at the gateway, whatever the server offers
"""


def test_control_it_works_at_stock(stock_browser) -> None:
    token = stock_browser.cookies.get("_xsrf", path="/user/mallory/")
    answer = stock_browser.post("/user/mallory/api/terminals", headers={"X-XSRFToken": token or ""})
    assert answer.status_code == 200, answer.text


def test_the_gateway_refuses_it(researcher) -> None:
    headers = {"Origin": researcher.session}
    answer = researcher.browser.client.post(f"{researcher.session}/api/terminals", headers=headers)
    assert answer.status_code == 403
    assert "terminal" in answer.text.lower()
