"""What listeners meet while the database is away: the end of their connection with a code that says whose fault it is."""

from collections.abc import AsyncIterator

import pytest
import structlog
from sqlalchemy import make_url

from app.config import Settings
from app.database import REQUESTS, Database
from tests.app.realtime.listening import Product, migrated_database, running_product
from tests.app.realtime.test_websockets import refused_with
from tests.databases import DatabaseServer
from tests.drills.fault_proxy import FaultProxy


@pytest.fixture
async def line(server: DatabaseServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(str(server.owner.host), int(server.owner.port or 5432)) as line:
        yield line


@pytest.fixture
async def product_over_line(settings: Settings, server: DatabaseServer, line: FaultProxy) -> AsyncIterator[Product]:
    async with migrated_database(server) as database:
        url = make_url(database.engine.url).set(port=line.port).render_as_string(hide_password=False)
        over_line = Database(url, pool_size=2, patience=REQUESTS)
        async with running_product(settings, over_line) as product:
            yield product
        await over_line.close()


@pytest.mark.requirement("REL-2", "WSK-1")
async def test_a_websocket_that_needs_the_database_while_it_is_away_is_closed_with_1011(
    product_over_line: Product, line: FaultProxy
) -> None:
    ada = await product_over_line.add_person()
    async with product_over_line.listening(ada, ada.own_topic) as listener:
        line.refuse()
        line.reset()
        with structlog.testing.capture_logs() as logged:
            await listener.say(type="subscribe", topics=[ada.organization_topic])
            assert await listener.end() == 1011
            assert listener.socket.close_reason == "", "what broke is nobody's business"
            assert await refused_with(product_over_line, ada) == 503
        told = [entry for entry in logged if entry["event"] == "request.unavailable"]
        assert [(entry["path"], "exc_info" in entry) for entry in told] == [("/ws", False)] * 2
