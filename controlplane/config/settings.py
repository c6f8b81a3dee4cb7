"""Django settings of the control plane: one file, read from the environment.

| variable | meaning | default |
|---|---|---|
| CLOVE_HOME | where everything that must survive is kept | ./var |
| CLOVE_PORT | port of portal, console and API | 8000 |
| CLOVE_BASE_DOMAIN | booking systems answer at `<slug>.<base domain>` | localhost |
| CLOVE_ROUTER_PORT | port of the booking systems' router | 8080 |
| CLOVE_STANDIN_PORT | port of the payment stand-in | 8090 |
| CLOVE_PUBLIC_SCHEME, CLOVE_PUBLIC_PORT | how buyers reach the router, when something stands before it | http, the router's port |
| CLOVE_ALLOWED_HOSTS | further host names of the portal, separated by commas | the base domain |
| CLOVE_TRUSTED_PROXIES | CIDRs of one's own proxies, which append to X-Forwarded-For: before portal and buyer sites | none |
| CLOVE_PROXIES | how many proxies, wherever they are, stand before the portal besides and do so | 0 |
| CLOVE_LANGUAGE, CLOVE_TIME_ZONE | ko or en where a reader asks for neither; of all times that people read | ko, Asia/Seoul |
| CLOVE_DEBUG, CLOVE_LOG_LEVEL | Django's debug pages; how much is logged | no, INFO |
| CLOVE_SECRET_KEY, CLOVE_SECRET_KEY_FALLBACKS | Django's key; others that count beside it | lines of CLOVE_HOME/keys/django-secret |
| CLOVE_SECRET_KEYS | Fernet keys: the first encrypts, all decrypt | lines of CLOVE_HOME/keys/fernet-keys |
| CLOVE_MOUNT_DELAY_S | after how many seconds a changed Secret has surely reached the pods that run | 150 on Kubernetes, 5 here |
| DATABASE_URL | mysql://… | SQLite in CLOVE_HOME |
| REDIS_URL | broker and cache | files in CLOVE_HOME/broker |
| RUNTIME | local, kubernetes, or fake for tests | local |
| KUBECONFIG, CLOVE_KUBE_CONTEXT | the cluster of RUNTIME=kubernetes, and which of its contexts | ~/.kube/config, or the pod's own account |
| CLOVE_BY_HAND | further managers whose changes to a system count as somebody's hand and are put right, as patterns: `my-tool,oc*` | none |
| ROUTING | gateway (HTTPRoute), ingress, or service (annotated Services, for a proxy of one's own) | gateway |
| CLOVE_GATEWAY | namespace/name of the cluster's Gateway, or of where its ingress controller or router runs | clove-gateway/clove |
| CLOVE_INGRESS_CLASS, CLOVE_TLS_SECRET | of the Ingresses of ROUTING=ingress | the cluster's default, no TLS |
| CLOVE_DNS_PODS, CLOVE_DNS_PORTS | namespace/label=value of the pods that answer for names; ports | kube-system/k8s-app=kube-dns, 53 |
| CLOVE_DNS_NETWORKS | CIDRs where names are asked for besides (a cache on each node) | none |
| CLOVE_CONNECT_URL | how the control plane reaches what routes | what the Gateway or Ingress reports |
| CLOVE_BOOKING_DATABASE | sqlite (a file a service), mariadb (a server a namespace), mysql (one outside) | mariadb on Kubernetes |
| CLOVE_MARIADB_IMAGE, CLOVE_BACKUPS_KEPT | of mariadb: its image, best by digest; how many daily backups stay | MariaDB 11.4, 7 |
| CLOVE_BOOKING_DATABASE_URL | of mysql: mysql://admin:password@host:3306/mysql, an account that may make schemas and users | |
| CLOVE_BOOKING_DATABASE_NETWORKS | of mysql: the CIDRs where that server is, which the services' network policies open | its address |
| CLOVE_SELLER_SYSTEMS | how many booking systems of one seller run at once; this and the next, where the console says nothing else | 60 |
| CLOVE_SELLER_CPU, CLOVE_SELLER_MEMORY_GIB | cores and memory they may use together, rollouts included (systems/caps.py) | 1200, 320 |
| CLOVE_SERVICE_COPIES | copies of one service at most; 20 is the most that can be said | 10 |
| CLOVE_MAIL | `smtp://user:password@host:587` (STARTTLS), `smtps://…:465`, `smtp+plain://host:25`, `file:///directory` | no mail is sent |
| CLOVE_OIDC_PRIVATE | whether buyers may sign in with a provider on this machine or in a private network | no |
| KAKAOPAY_URL, KAKAOPAY_CID, KAKAOPAY_SECRET_KEY | the payment provider | the stand-in with its test key |
| PAYMENT_TEST | whether pages say that no money moves | yes, but for KakaoPay's own host with a CID of one's own |
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from controlplane.lib import env, keyfiles
from controlplane.rendering import dns

BASE_DIR = Path(__file__).resolve().parent.parent.parent
CLOVE_HOME = Path(env.text("CLOVE_HOME", str(BASE_DIR / "var"))).resolve()
DEBUG = env.flag("CLOVE_DEBUG")


_KEY_FILE = CLOVE_HOME / "keys" / "django-secret"


def _secret_key() -> str:
    return env.text("CLOVE_SECRET_KEY") or keyfiles.read_or_create(_KEY_FILE, keyfiles.random_text).decode().split()[0]


def _fallbacks() -> list[str]:
    """The keys that count beside the one that signs."""
    if env.text("CLOVE_SECRET_KEY"):
        return env.words("CLOVE_SECRET_KEY_FALLBACKS")
    return _KEY_FILE.read_text(encoding="utf-8").split()[1:] if _KEY_FILE.exists() else []


# Lazy: commands that need no key (`render`) leave no file behind.
SECRET_KEY = SimpleLazyObject(_secret_key)
SECRET_KEY_FALLBACKS = _fallbacks()
SECRET_KEYS = env.words("CLOVE_SECRET_KEYS")

# --- Where things are ------------------------------------------------------------------------------------------------
PORT = env.number("CLOVE_PORT", 8000)
ROUTER_PORT = env.number("CLOVE_ROUTER_PORT", 8080)
STANDIN_PORT = env.number("CLOVE_STANDIN_PORT", 8090)
BASE_DOMAIN = env.text("CLOVE_BASE_DOMAIN", "localhost")
PUBLIC_SCHEME = env.choice("CLOVE_PUBLIC_SCHEME", ("http", "https"))
PUBLIC_PORT = env.number("CLOVE_PUBLIC_PORT", ROUTER_PORT)
PROXIES = env.number("CLOVE_PROXIES", 0)
TRUSTED_PROXIES = env.networks("CLOVE_TRUSTED_PROXIES")

ALLOWED_HOSTS = ["*"] if DEBUG else [BASE_DOMAIN, "localhost", "127.0.0.1", "[::1]", *env.words("CLOVE_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in env.words("CLOVE_ALLOWED_HOSTS")]

# --- Booking systems -------------------------------------------------------------------------------------------------
RUNTIME = env.choice("RUNTIME", ("local", "kubernetes", "fake"))
BOOKING_TIME_ZONE = env.text("CLOVE_TIME_ZONE", "Asia/Seoul")
BOOKING_LANGUAGE = env.choice("CLOVE_LANGUAGE", ("ko", "en"))
KAKAOPAY_HOST = "https://open-api.kakaopay.com"
KAKAOPAY_URL = env.text("KAKAOPAY_URL", f"http://127.0.0.1:{STANDIN_PORT}")
KAKAOPAY_CID = env.text("KAKAOPAY_CID", "TC0ONETIME")
# The stand-in's own key, known to everyone; with it no money moves.
KAKAOPAY_SECRET_KEY = env.text("KAKAOPAY_SECRET_KEY", "DEV_CLOVE_STANDIN_KEY")
# What images may ask for by these names; never in a revision.
MAIL_URL = env.text("CLOVE_MAIL")
globals().update(env.mail_server(MAIL_URL))
PLATFORM_SECRETS = {"kakaopay": KAKAOPAY_SECRET_KEY, "mail": MAIL_URL}
OIDC_PRIVATE = env.flag("CLOVE_OIDC_PRIVATE")
# The Gateway of the cluster that the booking systems' routes join.
GATEWAY_NAMESPACE, GATEWAY_NAME = env.pair("CLOVE_GATEWAY", "clove-gateway/clove")
# Kubelets look at mounted Secrets every 60 to 90 s (syncFrequency), and of what changed they may have heard a little late.
MOUNT_DELAY_S = env.number("CLOVE_MOUNT_DELAY_S", 150 if RUNTIME == "kubernetes" else 5)
KUBE_CONTEXT = env.text("CLOVE_KUBE_CONTEXT")
# Beside those of runtime/managers.py; `kubectl get -o yaml --show-managed-fields` names who changed what.
BY_HAND = env.words("CLOVE_BY_HAND")
ROUTING = env.choice("ROUTING", ("gateway", "ingress", "service"))
INGRESS_CLASS, TLS_SECRET = env.text("CLOVE_INGRESS_CLASS"), env.text("CLOVE_TLS_SECRET")
try:
    DNS = dns.read(pods=env.text(dns.PODS), ports=env.text(dns.PORTS), networks=env.text(dns.NETWORKS))
except dns.BadDns as error:
    raise env.BadEnvironment(str(error)) from None
CONNECT_URL = env.text("CLOVE_CONNECT_URL")
BOOKING_DATABASE = env.choice("CLOVE_BOOKING_DATABASE", ("sqlite", "mariadb", "mysql"), "mariadb" if RUNTIME == "kubernetes" else "sqlite")
if RUNTIME == "local" and BOOKING_DATABASE == "mariadb":
    raise env.BadEnvironment("CLOVE_BOOKING_DATABASE=mariadb needs RUNTIME=kubernetes; this machine runs sqlite, or mysql by its address")
MARIADB_IMAGE = env.text("CLOVE_MARIADB_IMAGE", "docker.io/library/mariadb:11.4")
BACKUPS_KEPT = env.number("CLOVE_BACKUPS_KEPT", 7)
BOOKING_DATABASE_ADMIN = env.mysql_database(env.text("CLOVE_BOOKING_DATABASE_URL")) if BOOKING_DATABASE == "mysql" else {}
BOOKING_DATABASE_NETWORKS = env.words("CLOVE_BOOKING_DATABASE_NETWORKS")
# What a seller may have (systems/caps.py). An event as it is opened may use 16 cores and 4 GiB at most, its own database's included.
CAPS = {
    "systems": env.number("CLOVE_SELLER_SYSTEMS", 60),
    "cpu": env.number("CLOVE_SELLER_CPU", 1200),
    "memory_gib": env.number("CLOVE_SELLER_MEMORY_GIB", 320),
    "system_cpu": env.number("CLOVE_SYSTEM_CPU", 64),
    "system_memory_gib": env.number("CLOVE_SYSTEM_MEMORY_GIB", 32),
    "copies": env.number("CLOVE_SERVICE_COPIES", 10),
}
PAYMENT_IS_TEST = env.flag("PAYMENT_TEST", default=KAKAOPAY_URL.rstrip("/") != KAKAOPAY_HOST or KAKAOPAY_CID == "TC0ONETIME")

# --- Django ----------------------------------------------------------------------------------------------------------
ROOT_URLCONF = "controlplane.config.urls"
WSGI_APPLICATION = "controlplane.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "controlplane.console.apps.ConsoleConfig",
    "controlplane.console.apps.ConsoleAdminConfig",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "axes",
    "django_prometheus",
    "rest_framework",
    "controlplane.lib",
    "controlplane.accounts",
    "controlplane.pool",
    "controlplane.systems",
    "controlplane.jobs",
    "controlplane.portal",
    "controlplane.api",
]

MIDDLEWARE = [
    "controlplane.accounts.middleware.TrueAddress",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "controlplane.portal.middleware.FormsOnly",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ]
        },
    }
]

_database_url = env.text("DATABASE_URL")
DATABASES = {
    "default": env.mysql_database(_database_url) if _database_url else env.sqlite_database(str(CLOVE_HOME / "controlplane.sqlite3"))
}

REDIS_URL = env.text("REDIS_URL")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- People ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/systems"
LOGOUT_REDIRECT_URL = "/"

# By account and address together: one NAT holds a school, and nobody may lock another person out from elsewhere.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_USERNAME_FORM_FIELD = "username"  # what Django's login form calls it, whatever the model's field is
AXES_USERNAME_CALLABLE = "controlplane.accounts.selectors.login_name"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "controlplane.accounts.throttling.client_address"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "controlplane.portal.views.entry.locked_out"
AXES_VERBOSE = False

# --- Security --------------------------------------------------------------------------------------------------------
_is_https = PUBLIC_SCHEME == "https"
SESSION_COOKIE_NAME = "__Host-clove_session" if _is_https else "clove_session"
SESSION_COOKIE_SECURE = _is_https
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-clove_csrf" if _is_https else "clove_csrf"
CSRF_COOKIE_SECURE = _is_https
CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_NAME = "clove_lang"
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if _is_https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _is_https else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
# A plan of 50,000 seats is about 5 MB of JSON.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
# 200 performances and 200 products in one form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
# A picture each, and the plan; a browser sends those left empty too.
DATA_UPLOAD_MAX_NUMBER_FILES = 1001
# Without a script 200 products bring their pictures of 2 MB along all at once, beside the plan.
UPLOAD_FORM_MAX_SIZE = 450 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "controlplane.lib.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Languages and time ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = BOOKING_LANGUAGE
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "controlplane" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = BOOKING_TIME_ZONE

# --- Static files: found in the apps and served from there, no collecting needed --------------------------------------
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- Jobs ------------------------------------------------------------------------------------------------------------
CELERY_APP = "controlplane.config.celery.app"
BROKER_URL = REDIS_URL or "files://localhost"

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "controlplane.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["controlplane.api.parsers.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["controlplane.api.renderers.JsonRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["controlplane.accounts.throttling.AddressThrottle", "rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "anon": "120/min",
        "user": "1200/min",
        "signup": "20/hour",
        "password_reset": "20/hour",
        "invitation": "30/hour",
        "invitation_link": "60/hour",
    },
    "NUM_PROXIES": 0,  # the address is the reader's own by then
    "EXCEPTION_HANDLER": "controlplane.api.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Clove",
    "VERSION": "1",
    "DESCRIPTION": "Open, watch, change and remove booking systems.",
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SystemState": "controlplane.systems.models.State",
        "DesiredState": "controlplane.systems.models.Desired",
        "OperationState": "controlplane.systems.models.Operation.State",
        "StepState": "controlplane.systems.models.OperationStep.State",
    },
}

# --- Logs ------------------------------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("CLOVE_LOG_LEVEL", "INFO").upper()},
}
