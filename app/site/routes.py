"""The addresses of the public site, all of them open to anyone."""

from app.policy import public
from app.site import development, handlers
from core.routing import BaseRoute, Route

routes: list[BaseRoute] = [
    public(Route("/", handlers.landing, name="site.landing")),
    public(Route("/pricing", handlers.pricing, name="site.pricing")),
    public(Route("/legal/{page}", handlers.legal, name="site.legal")),
    public(Route("/robots.txt", handlers.robots, name="site.robots")),
    public(Route("/sitemap.xml", handlers.sitemap, name="site.sitemap")),
    public(Route("/.well-known/security.txt", handlers.security_txt, name="site.security_txt")),
    public(Route("/.well-known/change-password", handlers.change_password, name="site.change_password")),
]

development_routes: list[BaseRoute] = [
    public(Route("/dev/components", development.components, name="site.components")),
    public(Route("/dev/routes", development.route_map, name="site.route_map")),
]
