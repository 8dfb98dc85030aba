"""OpenID Connect: each way in which a login token can be wrong is refused."""

import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from access_control.errors import NotPermitted
from access_control.settings import Login, load_settings
from hub import oidc
from hub.ports import Ports

ISSUER, CLIENT = "http://login.enclave.localhost:8000", "enclave-hub"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(key: rsa.RSAPrivateKey, kid: str = "one") -> jwt.PyJWKSet:
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.PyJWKSet.from_dict({"keys": [{**public, "kid": kid, "alg": "RS256", "use": "sig"}]})


def token(key: object, *, kid: str = "one", algorithm: str = "RS256", without: str = "", **changed: object) -> str:
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": CLIENT, "sub": "s-1", "iat": now, "exp": now + 300, "nonce": "n", **changed,
    }  # fmt: skip
    claims.pop(without, None)
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def verify(text: str, keys: jwt.PyJWKSet, nonce: str | None = "n") -> dict:
    return oidc.verified_claims(text, keys, issuer=ISSUER, client_id=CLIENT, nonce=nonce)


def test_a_good_token_gives_its_claims(key: rsa.RSAPrivateKey) -> None:
    assert verify(token(key), published(key))["sub"] == "s-1"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"iss": "http://other"}, "not valid"),
        ({"aud": "another"}, "not valid"),
        ({"exp": 1000}, "not valid"),
        ({"nonce": "m"}, "another login"),
        ({"aud": [CLIENT, "another"]}, "another application"),
        ({"without": "sub"}, "not valid"),
        ({"without": "exp"}, "not valid"),
        ({"without": "aud"}, "not valid"),
        ({"without": "nonce"}, "another login"),
        ({"kid": "two"}, "does not publish"),
    ],
)
def test_a_wrong_token_is_refused(key: rsa.RSAPrivateKey, changed: dict, sentence: str) -> None:
    with pytest.raises(NotPermitted, match=sentence):
        verify(token(key, **changed), published(key))


def test_a_token_of_another_key_is_refused(key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(NotPermitted, match="not valid"):
        verify(token(other), published(key))


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_an_unsigned_token_or_one_signed_with_a_shared_secret_is_refused(
    key: rsa.RSAPrivateKey, algorithm: str
) -> None:
    secret = None if algorithm == "none" else "x" * 64
    with pytest.raises(NotPermitted, match="not accepted"):
        verify(token(secret, algorithm=algorithm), published(key))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "x" * 5000])
def test_what_is_no_token_is_refused(key: rsa.RSAPrivateKey, text: str) -> None:
    with pytest.raises(NotPermitted):
        verify(text, published(key))


@pytest.mark.parametrize(
    ("claims", "allowed"),
    [
        ({"amr": ["pwd", "otp", "mfa"]}, True),
        ({"amr": ["hwk"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": []}, False),
        ({"amr": "mfa"}, True),
        ({"amr": "no-mfa"}, False),
        ({"amr": {"mfa": 1}}, False),
        ({"amr": [["mfa"], 1]}, False),
        ({"acr": "gold"}, True),
        ({"acr": "bronze"}, False),
        ({}, False),
    ],
)
def test_a_second_factor_is_asked_for(claims: dict, allowed: bool) -> None:
    login = Login(accepted_acr=["gold"])
    if allowed:
        oidc.check_second_factor(claims, login)
    else:
        with pytest.raises(NotPermitted, match="second factor"):
            oidc.check_second_factor(claims, login)


def test_without_the_setting_no_second_factor_is_asked_for() -> None:
    oidc.check_second_factor({}, Login(require_mfa=False))


def test_the_embedded_provider_is_public_by_its_host_and_inside_by_its_port() -> None:
    found = oidc.embedded_endpoints(load_settings(), Ports(1, 2, 3, 4, 5))
    assert found.issuer.startswith("http://login.")
    assert found.token.startswith("http://127.0.0.1:5/")
    assert found.headers == {"Host": found.issuer.split("://")[1]}
