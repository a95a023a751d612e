"""The page's files, as they are served; what they do is tried in a browser (tests/local/shop/test_page.py)."""

import httpx
import pytest

from services.storefront.page.serving import FILES

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("shop")]
LIMIT = 40_000


async def test_the_page_is_small_and_all_its_own(web: httpx.AsyncClient) -> None:
    index = await web.get("/")
    assert index.headers["content-type"].startswith("text/html")
    policy = index.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    size = len(index.content)
    for name in (path.name for path in FILES.iterdir() if path.name != "index.html"):
        assert f'"/assets/{name}"' in index.text, f"{name} is loaded late, or by nobody"
        answer = await web.get(f"/assets/{name}")
        assert answer.status_code == 200
        size += len(answer.content)
    assert size < LIMIT


async def test_a_browser_that_has_a_file_is_not_sent_it_again(web: httpx.AsyncClient) -> None:
    first = await web.get("/assets/app.js")
    assert first.headers["content-type"].startswith("text/javascript")
    again = await web.get("/assets/app.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_nothing_else_is_served(web: httpx.AsyncClient) -> None:
    for path in ("/assets/none.js", "/assets/..%2Fserving.py", "/assets/"):
        assert (await web.get(path)).status_code == 404
