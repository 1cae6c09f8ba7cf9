"""`python -m benchmarks.members`: fifty members in the middle of ten thousand against the ten of a small organization.

As `benchmarks.projects`: whole requests through the production stack, in process. Prints the ratios of the medians.
"""

from urllib.parse import parse_qs, urlsplit

from app.config import load_settings
from app.database import Database
from app.main import create_app
from benchmarks.projects import analyze, medians, report
from core.testclient import AsyncTestClient
from tests.app.accounts.people import add_person, log_in
from tests.app.organizations.teams import add_many, add_team
from tests.conftest import SECRET_KEY
from tests.databases import DatabaseServer

FEW, MANY, PAGE = 10, 10_000, 50
LARGEST_PAGE = 100
LISTS = {"for people": "/o/{slug}/members", "for programs": "/api/v1/organizations/{slug}/members"}


async def measure(server: DatabaseServer, name: str) -> str:
    address = server.application_url(name)
    variables = {"ENVIRONMENT": "test", "SECRET_KEY": SECRET_KEY, "BASE_URL": "https://slipway.test"}
    settings = load_settings({**variables, "DATABASE_URL": address, "LOG_LEVEL": "error"})
    database = Database(address)
    await found(database)
    await analyze(server.owner_url(name))
    async with AsyncTestClient(create_app(settings, database=database), base_url=settings.base_url) as client:
        await log_in(client)
        cursor = await middle(client)
        lines = [await compare(client, whom, path, cursor) for whom, path in LISTS.items()]
    await database.close()
    return "\n".join(lines)


async def found(database: Database) -> None:
    """Two teams of one owner, who is the last of their members."""
    async with database.transaction() as db:
        ada = await add_person(db)
        for slug, count in (("few", FEW), ("many", MANY)):
            team = await add_team(db, ada, name=slug, slug=slug)
            await add_many(db, team, count - 1)


async def compare(client: AsyncTestClient, whom: str, path: str, cursor: str) -> str:
    many = f"{path.format(slug='many')}?limit={PAGE}"
    few, first, inside = await medians(client, path.format(slug="few"), many, f"{many}&cursor={cursor}")
    ratios = f"all {FEW} of a team {few * 1000:.2f} ms, the first {PAGE} of {MANY:,} / these: {first / few:.2f}"
    return f"{whom}: {ratios}, {PAGE} in the middle / these: {inside / few:.2f}"


async def middle(client: AsyncTestClient) -> str:
    """The cursor of a page that half of the members stand before; pages and programs have the same."""
    path = LISTS["for programs"].format(slug="many") + f"?limit={LARGEST_PAGE}"
    for _ in range(MANY // LARGEST_PAGE // 2):
        path = (await client.get(path)).headers["link"].partition(">")[0].lstrip("<")
    return parse_qs(urlsplit(path).query)["cursor"][0]


if __name__ == "__main__":
    report(measure)
