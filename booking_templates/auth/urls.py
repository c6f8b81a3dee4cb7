from booking_templates.auth import internal as inside
from booking_templates.auth import outside_views, views
from booking_templates.kit.api import route

urlpatterns = [
    route("signup", POST=views.signup),
    route("login", POST=views.login),
    route("refresh", POST=views.refresh),
    route("logout", POST=views.logout),
    route("me", GET=views.read_me, PATCH=views.change_me, DELETE=views.close_me),
    route("me/password", POST=views.change_password),
    route("password-reset", POST=views.request_reset),
    route("password-reset/confirm", POST=views.confirm_reset),
    route("options", GET=views.options),
    route("oidc/start", GET=outside_views.start),
    route("oidc/callback", GET=outside_views.callback),
    route("oidc/identity", DELETE=outside_views.part),
    route("jwks.json", GET=views.read_keys),
]

internal = [route("mails", GET=inside.read_mails, POST=inside.take_mails)]
