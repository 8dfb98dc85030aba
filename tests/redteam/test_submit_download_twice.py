"""Use a download link again, or many times at once.

Way: submission
Control: the first use
Held by: the link is used up in the transaction that counts the download
"""

from concurrent.futures import ThreadPoolExecutor

from tests.redteam import submitting


def test_control_and_after_it_nothing(enclave, inside, researcher) -> None:
    _, name, file = submitting.released(enclave, inside)
    link = submitting.api(researcher.browser, "POST", f"releases/{name}/links?file_id={file}").json()["url"]
    assert researcher.browser.get(link).content.startswith(b"group-")
    for _ in range(2):
        again = researcher.browser.get(link)
        assert again.status_code >= 400
        assert b"group-" not in again.content


def test_of_many_at_once_one_gets_it(enclave, inside, researcher) -> None:
    _, name, file = submitting.released(enclave, inside)
    link = submitting.api(researcher.browser, "POST", f"releases/{name}/links?file_id={file}").json()["url"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: researcher.browser.client.get(link), range(8)))
    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert sum(answer.content.startswith(b"group-") for answer in answers) == 1
