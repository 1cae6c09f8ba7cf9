"""What the settings accept, and what production refuses to start with."""

import re
import secrets
import stat
from pathlib import Path

import pytest

from app.config import ROOT, Settings, SettingsError, load_settings
from app.config_rules import postgresql_url, secret_weakness

RANDOM_SECRET = "gk2ZbT0vQ8uXw4hS1yLr7DnM3cPa9JfEo6iRtUqVxWzB5"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": RANDOM_SECRET,
    "BASE_URL": "https://app.acme.test",
    "DATABASE_URL": "postgresql://app:7Jw2pQz9@db.acme.test/acme",
    "EMAIL_PROVIDER": "postmark",
    "POSTMARK_SERVER_TOKEN": "token",
    "EMAIL_FROM": "Acme <hello@acme.test>",
}


def problems_of(changes: dict[str, str], base: dict[str, str] = PRODUCTION) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings({**base, **changes})
    return caught.value.problems


def development(tmp_path: Path, **values: str) -> Settings:
    return load_settings({"DATA_DIRECTORY": str(tmp_path), **values})


def test_good_production_settings_are_accepted() -> None:
    settings = load_settings(PRODUCTION)

    assert settings.is_production
    assert settings.uses_https
    assert not settings.debug
    assert settings.allowed_hosts == ("app.acme.test",)
    assert settings.support_email == "hello@acme.test"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": RANDOM_SECRET[:30]}, "SECRET_KEY is shorter than 43 characters"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY is not random"),
        ({"SECRET_KEY": "k3Tz9Q" * 12}, "SECRET_KEY is not random"),
        ({"SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"}, "SECRET_KEY is not random"),
        ({"SECRET_KEY": "correct horse battery staple and many other ordinary words"}, "SECRET_KEY is not random"),
        ({"SECRET_KEY": f"change-me-{RANDOM_SECRET}"}, "SECRET_KEY is an example"),
        ({"SECRET_KEY_FALLBACKS": f"{RANDOM_SECRET[::-1]},short"}, "SECRET_KEY_FALLBACKS has a secret that is shorter"),
        ({"DEBUG": "true"}, "DEBUG must be off"),
        ({"TOKEN_SCANNER_URL": "http://keys.acme.test"}, "TOKEN_SCANNER_URL must begin with https://"),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS must be a whole number from 1 to 90"),
        ({"SESSION_IDLE_DAYS": "91"}, "SESSION_IDLE_DAYS must be a whole number from 1 to 90"),
        ({"SESSION_REMEMBERED_DAYS": "7"}, "SESSION_REMEMBERED_DAYS must be at least SESSION_DAYS"),
        ({"TRUSTED_DEVICE_DAYS": "91"}, "TRUSTED_DEVICE_DAYS must be a whole number from 0 to 90"),
        ({"LOST_ACCESS_DAYS": "91"}, "LOST_ACCESS_DAYS must be a whole number from 0 to 90"),
        ({"BASE_URL": ""}, "BASE_URL is missing"),
        ({"BASE_URL": "http://app.acme.test"}, "BASE_URL must begin with https://"),
        ({"BASE_URL": "https://app.acme.test/path"}, "BASE_URL must be an address without a path"),
        ({"BASE_URL": "https://user@app.acme.test"}, "BASE_URL must be an address without a path"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must not be '*'"),
        ({"TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES must not be '*'"),
        ({"TRUSTED_PROXIES": "0.0.0.0/0"}, "TRUSTED_PROXIES must not be '*'"),
        ({"TRUSTED_PROXIES": "10.0.0.1, proxy"}, "TRUSTED_PROXIES must list addresses"),
        ({"DATABASE_URL": ""}, "DATABASE_URL is missing"),
        ({"DATABASE_URL": "postgresql://postgres:postgres@db/acme"}, "DATABASE_URL has a default password"),
        ({"DATABASE_URL": "postgresql://acme:acme@db/acme"}, "DATABASE_URL has a default password"),
        ({"DATABASE_OWNER_URL": "postgresql://owner:changeme@db/acme"}, "DATABASE_OWNER_URL has a default password"),
        ({"DATABASE_URL": "mysql://a:b@db/acme"}, "DATABASE_URL must begin with postgresql://"),
        ({"DATABASE_URL": "postgresql://a:7Jw2pQz9@db"}, "DATABASE_URL must end with the name of a database"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not an address"),
        ({"PASSWORD_MEMORY": "8192"}, "PASSWORD_MEMORY must be at least 19456"),
        ({"DATABASE_POOL_SIZE": "0"}, "DATABASE_POOL_SIZE must be a whole number from 1 to 1000"),
        ({"EMAIL_PROVIDER": "mailbox"}, "EMAIL_PROVIDER must name real providers"),
        ({"EMAIL_PROVIDER": "postmark,ses"}, "SES_REGION is missing"),
        ({"EMAIL_PROVIDER": "smtp", "SMTP_HOST": "mail.example.com", "SMTP_TLS": "none"}, "SMTP_TLS must be"),
        ({"EMAIL_PROVIDER": "pigeon"}, "EMAIL_PROVIDER must be one of"),
        ({"EMAIL_PROVIDER": "resend"}, "RESEND_API_KEY is missing"),
        ({"POSTMARK_SERVER_TOKEN": ""}, "POSTMARK_SERVER_TOKEN is missing"),
        ({"EMAIL_FROM": ""}, "EMAIL_FROM is missing"),
        ({"EMAIL_FROM": "nobody"}, "EMAIL_FROM must be an e-mail address"),
        ({"PORT": "eighty"}, "PORT must be a whole number from 0 to 65535"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL must be one of"),
        ({"SIGN_UP": "maybe"}, "SIGN_UP must be one of"),
        ({"GOOGLE_CLIENT_ID": "slipway"}, "GOOGLE_CLIENT_SECRET is missing"),
        ({"GITHUB_CLIENT_SECRET": "x"}, "GITHUB_CLIENT_ID is missing"),
        ({"OIDC_CLIENT_ID": "a", "OIDC_CLIENT_SECRET": "b"}, "OIDC_ISSUER is missing"),
        ({"OIDC_ISSUER": "http://login.acme.test"}, "OIDC_ISSUER must begin with https://"),
        ({"OIDC_ISSUER": "http://127.0.0.1:9"}, "OIDC_ISSUER must begin with https://"),
        ({"OIDC_ISSUER": "https://login.acme.test?x=y"}, "OIDC_ISSUER must begin with https://"),
    ],
)
@pytest.mark.requirement("KEY-1")
def test_production_refuses(changes: dict[str, str], reason: str) -> None:
    assert any(problem.startswith(reason) for problem in problems_of(changes)), problems_of(changes)


@pytest.mark.requirement("KEY-1")
def test_all_problems_are_told_at_once() -> None:
    problems = problems_of({}, {"ENVIRONMENT": "production", "DEBUG": "yes", "PORT": "-1"})

    named = {re.match(r"[A-Z_]+", problem)[0] for problem in problems}  # type: ignore[index]
    assert named >= {"SECRET_KEY", "DEBUG", "PORT", "BASE_URL", "DATABASE_URL", "EMAIL_PROVIDER", "EMAIL_FROM"}


def test_no_problem_repeats_a_secret() -> None:
    told = "\n".join(problems_of({"SECRET_KEY": "hunter2hunter2", "DATABASE_URL": "mysql://app:sw0rdfish@db/acme"}))

    assert "hunter2" not in told
    assert "sw0rdfish" not in told


@pytest.mark.requirement("LOG-1")
def test_settings_do_not_show_their_secrets() -> None:
    settings = load_settings(PRODUCTION)

    assert RANDOM_SECRET not in repr(settings)
    assert "7Jw2pQz9" not in repr(settings)


def test_development_needs_no_setting_and_keeps_its_secret(tmp_path: Path) -> None:
    first, second = development(tmp_path), development(tmp_path)

    assert first.environment == "development"
    assert first.debug
    assert str(first.secret_key) == str(second.secret_key)
    assert secret_weakness(str(first.secret_key)) is None
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert development(tmp_path, PORT="", BASE_URL="").base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("host", "address"),
    [("::", "http://127.0.0.1:9000"), ("localhost", "http://localhost:9000"), ("::1", "http://[::1]:9000")],
)
def test_the_address_follows_host_and_port(tmp_path: Path, host: str, address: str) -> None:
    assert development(tmp_path, HOST=host, PORT="9000").base_url == address


def test_a_trailing_slash_of_the_address_is_dropped(tmp_path: Path) -> None:
    assert development(tmp_path, BASE_URL="https://Acme.test/").base_url == "https://acme.test"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=9001\nPRODUCT_NAME='Acme'\n")

    settings = load_settings({"PORT": "9002", "DATA_DIRECTORY": str(tmp_path)}, file)

    assert (settings.port, settings.product_name) == (9002, "Acme")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_every_spelling_of_a_database_address_means_asyncpg(scheme: str) -> None:
    assert postgresql_url(f"{scheme}://a:b%40c@db:5433/x") == "postgresql+asyncpg://a:b%40c@db:5433/x"


@pytest.mark.requirement("KEY-2")
def test_keys_differ_by_purpose_and_follow_the_secret(tmp_path: Path) -> None:
    settings = development(tmp_path)
    other = development(tmp_path, SECRET_KEY=RANDOM_SECRET)

    keys = {settings.key("csrf"), settings.key("state"), other.key("csrf")}
    assert len(keys) == 3
    assert {len(key) for key in keys} == {32}
    assert settings.key("csrf") == development(tmp_path).key("csrf")


@pytest.mark.requirement("KEY-2")
def test_a_rotated_secret_is_still_accepted(tmp_path: Path) -> None:
    before = development(tmp_path, SECRET_KEY=RANDOM_SECRET)
    after = development(tmp_path, SECRET_KEY=RANDOM_SECRET[::-1], SECRET_KEY_FALLBACKS=RANDOM_SECRET)

    assert after.keys("csrf") == [after.key("csrf"), before.key("csrf")]


def test_random_secrets_are_accepted() -> None:
    assert [secret_weakness(secrets.token_urlsafe(48)) for _ in range(200)] == [None] * 200
    assert [secret_weakness(secrets.token_hex(32)) for _ in range(200)] == [None] * 200


def test_the_example_file_names_every_variable_that_is_read() -> None:
    source = (ROOT / "app" / "config.py").read_text()
    read = set(re.findall(r'reader\.\w+\("([A-Z_]+)"', source))
    # Log-in providers, e-mail and files have modules of theirs.
    for module in (ROOT / "app").glob("config_*.py"):
        if module.stem != "config_rules":
            read |= set(re.findall(r'"([A-Z]+[0-9]?_[A-Z0-9_]+)"', module.read_text()))
    documented = set(re.findall(r"^([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.M))

    assert read == documented


def test_the_example_file_is_accepted_as_it_is(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIRECTORY": str(tmp_path)}, ROOT / ".env.example")

    assert repr(settings) == repr(development(tmp_path))


def test_a_log_in_provider_appears_with_its_client_id_and_keeps_its_secret() -> None:
    values = {
        "GOOGLE_CLIENT_ID": "google-id",
        "GOOGLE_CLIENT_SECRET": "google-sw0rdfish",
        "MICROSOFT_CLIENT_ID": "microsoft-id",
        "MICROSOFT_CLIENT_SECRET": "microsoft-sw0rdfish",
        "OIDC_ISSUER": "https://login.acme.test",
        "OIDC_CLIENT_ID": "acme-id",
        "OIDC_CLIENT_SECRET": "acme-sw0rdfish",
        "OIDC_NAME": "Acme",
    }
    settings = load_settings({**PRODUCTION, **values})

    assert [(each.key, each.name) for each in settings.log_in_providers] == [
        ("google", "Google"),
        ("microsoft", "Microsoft"),
        ("openid", "Acme"),
    ]
    assert settings.log_in_providers[1].issuer == "https://login.microsoftonline.com/common/v2.0"
    assert "sw0rdfish" not in repr(settings)


def test_the_local_provider_is_there_in_development_alone(tmp_path: Path) -> None:
    assert [each.key for each in development(tmp_path).log_in_providers] == ["local"]
    assert load_settings(PRODUCTION).log_in_providers == ()
    assert development(tmp_path, ENVIRONMENT="test").log_in_providers == ()
