"""What one seller may have: looked at beside what they have, and changed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from controlplane.accounts.models import User
from controlplane.systems import caps

MOST = 1_000_000


class CapsForm(forms.Form):
    """One number for each of Caps; what is empty is as for everybody."""

    LABELS = {
        "systems": _("Booking systems that run"),
        "cpu": _("Cores of all of them together"),
        "memory_gib": _("GiB of memory of all of them together"),
        "system_cpu": _("Cores of each"),
        "system_memory_gib": _("GiB of memory of each"),
        "copies": _("Copies of a service"),
    }

    def __init__(self, own: dict[str, int | None], data: Any = None) -> None:
        super().__init__(data, initial=own)
        everybodys = vars(caps.everybodys())
        for name, label in self.LABELS.items():
            help_text = gettext("Everybody: %(number)s") % {"number": everybodys[name]}
            most = caps.HIGHEST.get(name, MOST)
            self.fields[name] = forms.IntegerField(label=label, min_value=0, max_value=most, required=False, help_text=help_text)


def limits(request: HttpRequest, user_id: int) -> HttpResponse:
    """GET: the form. POST: the limits are these from now on; nothing that runs is touched."""
    seller = User.objects.filter(pk=user_id).first()
    if seller is None:
        raise Http404
    form = CapsForm(caps.own_caps(seller), request.POST or None)
    if request.method == "POST" and form.is_valid():
        caps.caps_set(seller=seller, acting_user=request.user, values=form.cleaned_data)  # type: ignore[arg-type]
        messages.success(request, gettext("The limits of %(who)s are changed.") % {"who": seller})
        return redirect("admin:limits", seller.pk)
    context = {
        **admin.site.each_context(request),
        "title": gettext("Limits of %(who)s") % {"who": seller},
        "seller": seller,
        "form": form,
        "allowance": caps.allowance(seller),
    }
    return render(request, "console/limits.html", context, status=422 if form.errors else 200)
