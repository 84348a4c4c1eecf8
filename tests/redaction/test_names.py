"""Which names are those of secrets."""

import pytest

from ris.redaction.names import is_secret_name, is_secret_parameter

SECRET = [
    "token", "Token", "TOKEN", "access_token", "accessToken", "ACCESSTOKEN", "refresh", "refresh_token",
    "jwt",
    "password", "Password", "db-password", "passwd", "PGPASSWORD", "pwd", "basic_auth_pass", "passphrase",
    "secret", "client_secret", "clientSecret", "aws_secret_access_key", "AWSSecretAccessKey", "private_key",
    "api_key", "apikey", "X-Api-Key", "x-api-key", "Authorization", "Proxy-Authorization", "Cookie",
    "Set-Cookie", "X-Auth-Token", "X-Amz-Security-Token", "Ocp-Apim-Subscription-Key", "AccountKey",
    "token2", "csrfmiddlewaretoken", " token ", "\uff54\uff4f\uff4b\uff45\uff4e", "AZURE_STORAGE_KEY",
    "api key",
    "account_key", "sas_token", "sessionid", "csrftoken", "google_application_credentials",
    "connection_string", "task_data_password", "task_data_login", "RIS_DESCRIBER_KEY_SECRET", "auth",
]  # fmt: skip
PLAIN = [
    "key", "keys", "tokens", "max_new_tokens", "token_type", "tokenizer", "secretary", "monkey", "keyboard",
    "aws_access_key_id", "compass", "bypass", "author", "authors", "expression", "image", "passage", "hotkey",
    "id", "action", "project", "label_config", "refreshed_at", "signature", "design", "annotation",
    "pinned_at",
    "unique_id", "X-Request-Id", "eos_token", "primary_key",
]  # fmt: skip


@pytest.mark.parametrize("name", SECRET)
def test_a_field_of_this_name_holds_a_secret(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", PLAIN)
def test_a_field_of_this_name_holds_none(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["X-Amz-Signature", "x-goog-signature", "Signature", "sig", "token", "hdnts"]
)
def test_a_parameter_of_this_name_holds_a_secret(name):
    assert is_secret_parameter(name)


@pytest.mark.parametrize("name", ["X-Amz-Date", "Expires", "se", "design", "key", "page", "v"])
def test_a_parameter_of_this_name_holds_none(name):
    assert not is_secret_parameter(name)
