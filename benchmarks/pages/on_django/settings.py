"""The settings, with what `django-admin startproject` puts there and the pages need."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ADDRESS = urlsplit(os.environ["DATABASE_URL"])

SECRET_KEY = "benchmarks only"
DEBUG = False
ALLOWED_HOSTS = ["localhost"]
INSTALLED_APPS = ["django.contrib.humanize", "django.contrib.messages", "benchmarks.pages.on_django"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "benchmarks.pages.on_django.middleware.content_security_policy",
    "benchmarks.pages.on_django.middleware.authentication",
]
ROOT_URLCONF = "benchmarks.pages.on_django.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "benchmarks.pages.on_django.shell.shell",
            ],
            "builtins": ["django.contrib.humanize.templatetags.humanize", "benchmarks.pages.on_django.components"],
            "loaders": [
                ("django.template.loaders.cached.Loader", ["django.template.loaders.filesystem.Loader"]),
            ],
        },
    }
]
TEMPLATES[0].setdefault("APP_DIRS", False)
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _ADDRESS.path.lstrip("/"),
        "USER": _ADDRESS.username,
        "PASSWORD": unquote(_ADDRESS.password or ""),
        "HOST": _ADDRESS.hostname,
        "PORT": _ADDRESS.port,
        "CONN_MAX_AGE": 600,
        "OPTIONS": {"options": f"-c search_path={os.environ['DATABASE_SCHEMA']}"},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "state"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
