"""Settings from the environment and from a file."""

from pathlib import Path

import pytest

from core.config import Config, Environ, EnvironError
from core.datastructures import URL, CommaSeparatedStrings, Secret


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("A=file\nB=file\n")
    config = Config(env_file, environ={"A": "environment"})
    assert (config("A"), config("B"), config("C", default="default")) == ("environment", "file", "default")


def test_the_file_may_have_comments_spaces_and_one_pair_of_quotes(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("# comment\n\nNAME = \"it's\"\nOTHER='\"a'\nnothing\nPAIR=a=b\n", encoding="utf-8")
    config = Config(env_file, environ={})
    assert (config("NAME"), config("OTHER"), config("PAIR")) == ("it's", '"a', "a=b")


def test_a_missing_file_warns_and_a_missing_value_raises(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="not found"):
        config = Config(tmp_path / "nowhere", environ={})
    with pytest.raises(KeyError, match="Config 'A' is missing"):
        config("A")


def test_values_and_defaults_are_cast() -> None:
    config = Config(environ={"PORT": "80", "URL": "https://example.com", "HOSTS": "a, b", "KEY": "k"})
    assert config("PORT", cast=int) == 80
    assert config("URL", cast=URL) == "https://example.com"
    assert list(config("HOSTS", cast=CommaSeparatedStrings)) == ["a", "b"]
    assert repr(config("KEY", cast=Secret)) == "Secret('**********')"
    assert config("NONE", cast=int, default="7") == 7
    assert config("NONE", default=None) is None


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_a_flag_is_true_or_false(text: str, value: bool) -> None:
    assert Config(environ={"DEBUG": text})("DEBUG", cast=bool) is value


def test_a_value_that_cannot_be_cast_is_named() -> None:
    config = Config(environ={"DEBUG": "yes", "PORT": "http"})
    with pytest.raises(ValueError, match=r"Config 'DEBUG' has value 'yes'. Not a valid bool."):
        config("DEBUG", cast=bool)
    with pytest.raises(ValueError, match=r"Not a valid int."):
        config("PORT", cast=int)


def test_a_prefix_is_put_before_each_name() -> None:
    assert Config(environ={"APP_DEBUG": "1"}, env_prefix="APP_")("DEBUG") == "1"


def test_a_variable_that_was_read_cannot_be_changed_any_more() -> None:
    environ = Environ({"READ": "1", "UNREAD": "1"})
    assert environ["READ"] == "1"
    environ["UNREAD"] = "2"
    del environ["UNREAD"]
    with pytest.raises(EnvironError, match="READ"):
        environ["READ"] = "2"
    with pytest.raises(EnvironError, match="READ"):
        del environ["READ"]
    assert list(environ) == ["READ"]
    assert len(environ) == 1
