"""The application as a user of Django writes it, with async views and no database."""

import json as json_module
import sys
from types import ModuleType
from typing import Any

from benchmarks.scenarios import CHUNKS, PAGE, ROWS, STATIC

FIVE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def create(routes: int, options: frozenset[str]) -> Any:
    import django
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
    from django.urls import path
    from django.views.static import serve
    from jinja2 import Environment

    async def plain(request: Any) -> Any:
        return HttpResponse("Hello, world", content_type="text/plain")

    async def json(request: Any) -> Any:
        return JsonResponse({"message": "Hello, world"})

    async def item(request: Any, id: int) -> Any:
        return JsonResponse({"id": id})

    async def echo(request: Any) -> Any:
        return JsonResponse(json_module.loads(request.body))

    async def form(request: Any) -> Any:
        return HttpResponse(request.POST["name"])

    async def upload(request: Any) -> Any:
        return HttpResponse(str(len(request.FILES["file"].read())))

    async def session(request: Any) -> Any:
        name = await request.session.aget("name")
        if name is None:
            await request.session.aset("name", "Ada")
        return HttpResponse(name or "Ada")

    page_template = Environment(autoescape=True).from_string(PAGE)

    async def page(request: Any) -> Any:
        return HttpResponse(page_template.render(title="Rows", rows=ROWS))

    async def chunks() -> Any:
        for chunk in CHUNKS:
            yield chunk

    async def stream(request: Any) -> Any:
        return StreamingHttpResponse(chunks(), content_type="text/plain")

    urls = ModuleType(f"benchmark_urls_{routes}")
    urls.urlpatterns = [  # type: ignore[attr-defined]
        *(path(f"route/{number}", plain) for number in range(routes)),
        path("plain", plain), path("json", json), path("items/<int:id>", item), path("echo", echo), path("form", form),
        path("upload", upload), path("session", session), path("page", page), path("stream", stream),
        path("static/<path:path>", serve, {"document_root": STATIC}),
    ]  # fmt: skip
    sys.modules[urls.__name__] = urls
    layers = FIVE if "five middleware" in options else FIVE[1:2] if "session" in options else []
    if not settings.configured:
        settings.configure(
            SECRET_KEY="benchmark",
            ALLOWED_HOSTS=["localhost"],
            INSTALLED_APPS=["django.contrib.sessions"],
            SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        )
        django.setup()
    settings.ROOT_URLCONF = urls.__name__
    settings.MIDDLEWARE = layers
    return get_asgi_application()
