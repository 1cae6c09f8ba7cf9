"""The addresses."""

from django.urls import path

from benchmarks.pages.addresses import ADDRESSES
from benchmarks.pages.on_django.views import dashboard, list_members, not_here

urlpatterns = [
    path("o/<slug:slug>", dashboard, name="organizations.dashboard"),
    path("api/v1/organizations/<slug:slug>/members", list_members),
    *(
        path(address.lstrip("/").replace("{slug}", "<slug:slug>"), not_here, name=name)
        for name, address in ADDRESSES.items()
    ),
]
