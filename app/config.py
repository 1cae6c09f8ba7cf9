"""The product's settings: read from the environment and `.env`, checked all at once, never changed afterwards."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from app.config_email import (
    EmailSettings,
    email_production_problems,
    email_provider_problems,
    read_email_settings,
)
from app.config_files import FileSettings, file_problems, read_files
from app.config_providers import LogInProvider, provider_problems, read_providers
from app.config_rules import (
    DEFAULT_PASSWORD_MEMORY,
    boolean,
    comma_separated,
    email_domains,
    email_sender,
    generated_secret,
    network,
    one_of,
    origin,
    postgresql_url,
    production_problems,
    redis_address,
    sign_up_problems,
    whole_number,
)
from app.config_sessions import SessionLifetimes, read_sessions, session_problems
from app.problems import OperatorProblem
from core.config import Config, environ
from core.datastructures import Secret
from core.params import Depends
from core.requests import HTTPConnection

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ("development", "test", "production")
LOG_LEVELS = ("debug", "info", "warning", "error")
SHORTEST_AUDIT_DAYS = 90
SIGN_UP_MODES = ("open", "closed", "invitation", "domains", "waitlist")
BREACHED_PASSWORDS = "https://api.pwnedpasswords.com"
TOKEN_SCANNER = "https://api.github.com"  # noqa: S105 (an address, not a token)
NO_SECRET = Secret("")
# How long a load balancer may take to notice that /readyz says no: two probes, two seconds apart, and a moment.
DRAIN_PAUSE = 5
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

T = TypeVar("T")


class SettingsError(OperatorProblem):
    """The settings cannot be used; `problems` has one sentence for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(_as_one_message(problems))
        self.problems = problems


def _as_one_message(problems: list[str]) -> str:
    if len(problems) == 1:
        return f"{problems[0]} (.env.example explains every setting.)"
    lines = "".join(f"\n  - {problem}" for problem in problems)
    return f"{len(problems)} settings must change before this can start (.env.example explains them):{lines}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs between installations. `.env.example` explains each variable."""

    environment: str
    debug: bool
    secret_key: Secret
    secret_key_fallbacks: tuple[Secret, ...] = ()
    base_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...] = ()
    data_directory: Path = ROOT / ".data"

    # Passwords are part of these addresses, so they stay out of every traceback and log line.
    database_url: str = field(default="", repr=False)
    database_owner_url: str = field(default="", repr=False)
    database_pool_size: int = 10
    # Live events go through it where it is set; it may carry a password.
    redis_url: Secret = NO_SECRET

    # For how many days the audit trail is kept; the database refuses to forget younger events.
    audit_retention_days: int = 730

    product_name: str = "Slipway"
    product_tagline: str = ""
    company_name: str = "Slipway"
    support_email: str = ""

    email: EmailSettings = field(default_factory=EmailSettings)
    email_from: str = ""

    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "info"
    drain_seconds: int = 0
    metrics_token: Secret = NO_SECRET
    metrics_networks: tuple[str, ...] = ()
    metrics_port: int = 0
    password_memory: int = DEFAULT_PASSWORD_MEMORY  # KiB
    sign_up: str = "open"
    sign_up_domains: tuple[str, ...] = ()
    log_in_providers: tuple[LogInProvider, ...] = ()
    sessions: SessionLifetimes = field(default_factory=SessionLifetimes)
    lost_access_days: int = 7  # 0: nobody is helped who lost every second factor.
    breached_password_check: bool = False
    breached_password_url: str = BREACHED_PASSWORDS
    token_scanner_url: str = TOKEN_SCANNER
    files: FileSettings = field(default_factory=FileSettings)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def uses_https(self) -> bool:
        return self.base_url.startswith("https://")

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, derived from the secret key (HKDF-SHA256, RFC 5869).

        One leaked key does not reveal the others, and none of them reveals the secret.
        """
        return _derived_key(str(self.secret_key), purpose)

    def keys(self, purpose: str) -> list[bytes]:
        """The purpose's keys, the present one first, then those of earlier secrets: sign with the first, accept all."""
        secrets = (self.secret_key, *self.secret_key_fallbacks)
        return [_derived_key(str(secret), purpose) for secret in secrets]


@lru_cache(64)
def _derived_key(secret: str, purpose: str) -> bytes:
    pseudorandom_key = hmac.digest(b"slipway", secret.encode(), hashlib.sha256)
    return hmac.digest(pseudorandom_key, purpose.encode() + b"\x01", hashlib.sha256)


def current_settings(request: HTTPConnection) -> Settings:
    """The settings that the running application was made with; a handler declares `settings: CurrentSettings`."""
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


async def settings_of(connection: HTTPConnection) -> Settings:
    """As `current_settings`, for `CurrentSettings`: a dependency that does not wait would be called in a thread."""
    return current_settings(connection)


CurrentSettings = Annotated[Settings, Depends(settings_of)]


def load_settings(environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Read the settings from the process's environment and `.env`, or from exactly what is given.

    The environment wins over the file. Raises SettingsError that names every problem, not only the first.
    """
    if environment is None:
        default_file = ROOT / ".env"
        env_file = env_file or (default_file if default_file.is_file() else None)
    reader = _Reader(Config(env_file, environ=environ if environment is None else environment))
    settings = _read_settings(reader)
    problems = reader.problems + email_provider_problems(settings.email) + sign_up_problems(settings)
    problems += session_problems(settings.sessions)
    problems += provider_problems(reader.text, is_production=settings.is_production)
    problems += file_problems(settings.files, is_production=settings.is_production)
    if settings.is_production:
        problems += production_problems(settings)
        problems += email_production_problems(settings.email)
    if problems:
        raise SettingsError(problems)
    return settings


class _Reader:
    """Reads one variable at a time and remembers what was wrong, so that all problems are told together."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.problems: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        # A variable that is set to nothing counts as not set: compose files pass on `NAME=${NAME:-}`.
        return str(self._config(name, default="")).strip() or default

    def value(self, name: str, parse: Callable[[str], T], default: T) -> T:
        given = self.text(name)
        if not given:
            return default
        try:
            return parse(given)
        except ValueError as error:
            self.problems.append(f"{name} {error}.")
            return default

    def secrets(self, name: str) -> tuple[Secret, ...]:
        return tuple(Secret(part) for part in comma_separated(self.text(name)))


def _read_settings(reader: _Reader) -> Settings:
    environment = reader.value("ENVIRONMENT", one_of(ENVIRONMENTS), "development")
    is_production = environment == "production"
    data_directory = Path(reader.text("DATA_DIRECTORY", str(ROOT / ".data")))
    host = reader.text("HOST", "127.0.0.1")
    port = reader.value("PORT", whole_number(0, 65535), 8000)
    base_url = reader.value("BASE_URL", origin, "" if is_production else _local_address(host, port))
    product_name = reader.text("PRODUCT_NAME", "Slipway")
    email_from = reader.value("EMAIL_FROM", email_sender, "" if is_production else f"{product_name} <hello@localhost>")
    secret = reader.text("SECRET_KEY")
    if not secret and not is_production:
        secret = generated_secret(data_directory / "secret_key")
    return Settings(
        environment=environment,
        debug=reader.value("DEBUG", boolean, environment == "development"),
        secret_key=Secret(secret),
        secret_key_fallbacks=reader.secrets("SECRET_KEY_FALLBACKS"),
        base_url=base_url,
        allowed_hosts=reader.value("ALLOWED_HOSTS", comma_separated, _own_hosts(base_url, is_production=is_production)),
        trusted_proxies=reader.value("TRUSTED_PROXIES", _networks, ()),
        data_directory=data_directory,
        database_url=reader.value("DATABASE_URL", postgresql_url, ""),
        database_owner_url=reader.value("DATABASE_OWNER_URL", postgresql_url, ""),
        database_pool_size=reader.value("DATABASE_POOL_SIZE", whole_number(1, 1000), 10),
        audit_retention_days=reader.value("AUDIT_RETENTION_DAYS", whole_number(SHORTEST_AUDIT_DAYS, 36500), 730),
        redis_url=Secret(reader.value("REDIS_URL", redis_address, "")),
        product_name=product_name,
        product_tagline=reader.text("PRODUCT_TAGLINE", "Everything your product needs before its first feature."),
        company_name=reader.text("COMPANY_NAME", product_name),
        support_email=reader.text("SUPPORT_EMAIL", parseaddr(email_from)[1]),
        email=read_email_settings(reader),
        email_from=email_from,
        host=host,
        port=port,
        drain_seconds=reader.value("DRAIN_SECONDS", whole_number(0, 300), DRAIN_PAUSE if is_production else 0),
        metrics_token=Secret(reader.text("METRICS_TOKEN")),
        metrics_networks=reader.value("METRICS_NETWORKS", _networks, ()),
        metrics_port=reader.value("METRICS_PORT", whole_number(0, 65535), 0),
        log_level=reader.value("LOG_LEVEL", one_of(LOG_LEVELS), "info"),
        password_memory=reader.value("PASSWORD_MEMORY", whole_number(64, 1024 * 1024), DEFAULT_PASSWORD_MEMORY),
        sign_up=reader.value("SIGN_UP", one_of(SIGN_UP_MODES), "open"),
        sign_up_domains=reader.value("SIGN_UP_DOMAINS", email_domains, ()),
        log_in_providers=read_providers(
            reader.text, base_url=base_url, local_secret=_local_secret(secret) if environment == "development" else None
        ),
        sessions=read_sessions(reader.value),
        lost_access_days=reader.value("LOST_ACCESS_DAYS", whole_number(0, 90), 7),
        breached_password_check=reader.value("BREACHED_PASSWORD_CHECK", boolean, is_production),
        breached_password_url=reader.value("BREACHED_PASSWORD_URL", origin, BREACHED_PASSWORDS),
        token_scanner_url=reader.value("TOKEN_SCANNER_URL", origin, TOKEN_SCANNER),
        files=read_files(reader.text, reader.value),
    )


def _local_secret(secret: str) -> Secret:
    return Secret(_derived_key(secret, "local provider").hex())


def _networks(text: str) -> tuple[str, ...]:
    return tuple(network(part) for part in comma_separated(text))


def _local_address(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on `host`."""
    everywhere = host in ("0.0.0.0", "::", "")  # noqa: S104 (compared, not bound)
    name = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _own_hosts(base_url: str, *, is_production: bool) -> tuple[str, ...]:
    hostname = urlsplit(base_url).hostname or ""
    own = (f"[{hostname}]" if ":" in hostname else hostname,) if hostname else ()
    return own if is_production else tuple(dict.fromkeys((*own, *LOCAL_HOSTS)))
