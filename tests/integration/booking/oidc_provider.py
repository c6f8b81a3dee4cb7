"""A real OpenID Connect provider (django-oauth-toolkit) on this machine, as a process of its own.

python oidc_provider.py PORT DIRECTORY REDIRECT_URI: serves http://127.0.0.1:PORT/o with the client `clove` (secret `client-secret`) and
the people below, whose password is `provider-password`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings

PASSWORD = "provider-password"
CLIENT_ID, CLIENT_SECRET = "clove", "client-secret"
PEOPLE = {
    "mina": {"name": "김미나", "email": "mina@example.com", "email_verified": True},
    "jun": {"name": "Jun", "email": "jun@example.com", "email_verified": False},
    "nameless": {},
}


def configure(port: int, directory: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    settings.configure(
        SECRET_KEY="of a test",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": directory / "provider.sqlite3"}},
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        LOGIN_URL="/login",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": pem.decode(),
            "OIDC_ISS_ENDPOINT": f"http://127.0.0.1:{port}/o",
            "OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator",
            "SCOPES": {"openid": "", "profile": "", "email": ""},
            "PKCE_REQUIRED": True,
            "ALLOWED_REDIRECT_URI_SCHEMES": ["http", "https"],
        },
    )
    django.setup()


def fill(redirect_uri: str) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for username in PEOPLE:
        User.objects.create_user(username, password=PASSWORD)
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris=redirect_uri,
        algorithm="RS256",
        skip_authorization=True,
    )


def log_in(request):
    """Username and password as a form posts them; then back to what asked for a login."""
    from django.contrib.auth import authenticate, login
    from django.http import HttpResponse, HttpResponseRedirect

    user = authenticate(request, username=request.POST.get("username"), password=request.POST.get("password"))
    if user is None:
        return HttpResponse("log in, please", status=200)
    login(request, user)
    return HttpResponseRedirect(request.GET["next"])


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """A test's output is its own."""


def main() -> None:
    port, directory, redirect_uri = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    sys.modules["oidc_provider"] = sys.modules[__name__]
    configure(port, directory)
    from django.urls import include, path
    from oauth2_provider.oauth2_validators import OAuth2Validator

    class Validator(OAuth2Validator):
        def get_additional_claims(self, request):
            return PEOPLE[request.user.username]

    this = sys.modules[__name__]
    this.Validator = Validator
    this.urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")), path("login", log_in)]
    fill(redirect_uri)
    from django.core.wsgi import get_wsgi_application

    make_server("127.0.0.1", port, get_wsgi_application(), handler_class=Quiet).serve_forever()


if __name__ == "__main__":
    main()
