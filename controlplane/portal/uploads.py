"""What comes with the requirement form and is not kept in it: chosen pictures, and a secret; the form only names them."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest

from controlplane.accounts.models import User
from controlplane.portal.requirement_form.fields import FormProblem
from controlplane.portal.requirement_form.state import FormState
from controlplane.portal.speech import say_reason
from controlplane.systems.errors import PictureRefused, Refused
from controlplane.systems.models import Picture
from controlplane.systems.pictures import BYTES_MAX, picture_keep
from controlplane.systems.sealed import secret_keep

ROWS, FILE = "products", "picture_file"
SECRET = "oidc_secret"  # noqa: S105  (the name of its input)


def read(file: UploadedFile | None) -> bytes:
    """The bytes of FILE, if there may be so many. Raises PictureRefused."""
    if file is None or not file.size:
        raise PictureRefused("no_picture")
    if file.size > BYTES_MAX:  # not read into memory for nothing
        raise PictureRefused("picture_too_large", limit=BYTES_MAX // 1024 // 1024)
    return file.read()


def kept(owner: User, file: UploadedFile | None) -> Picture:
    """FILE as a picture of OWNER. Raises PictureRefused."""
    return picture_keep(owner=owner, content=read(file))


def take(request: HttpRequest, owner: User, typed: FormState) -> list[FormProblem]:
    """Keep the pictures that were chosen and name them in TYPED; what is refused, at its input. A row's earlier picture stays then."""
    rows = {row.key: (number, row) for number, row in enumerate(typed.rows[ROWS], 1)}
    problems = []
    for name, file in request.FILES.items():
        of, _, rest = name.partition(".")
        key, _, column = rest.partition(".")
        if of != ROWS or column != FILE or key not in rows or isinstance(file, list):
            continue
        number, row = rows[key]
        try:
            row.values["picture"] = kept(owner, file).digest
        except PictureRefused as error:
            problems.append(FormProblem(f"{ROWS}.{key}.picture", say_reason(error.reason), number))
    return problems


def take_away(typed: FormState, key: str) -> None:
    """The product of row KEY has no picture any more."""
    for row in typed.rows[ROWS]:
        if row.key == key:
            row.values["picture"] = ""


def take_secret(request: HttpRequest, owner: User, typed: FormState) -> list[FormProblem]:
    """Keep the secret that was typed, and name it in TYPED; the text itself goes no further."""
    text = request.POST.get(SECRET, "")
    if not text.strip() or typed["sign_in"] != "yes":
        return []
    try:
        typed.values["oidc_secret_ref"] = secret_keep(owner=owner, text=text).reference
    except Refused as error:
        return [FormProblem(SECRET, say_reason(error.reason))]
    return []
