"""What Django keeps for a thread, kept by Python itself.

Django keeps the language, the time zone, the URL configuration and the database's connections in asgiref's `Local`, which can follow a
request from thread to thread as asynchronous code needs it: one lock for all threads at each look, a dozen looks a request. Here a request
stays in the thread that it began in, so what the interpreter keeps for a thread is enough.
"""

from __future__ import annotations

import threading

from django.db import connections
from django.urls import base
from django.utils import timezone
from django.utils.translation import trans_real

KEPT = ((trans_real, "_active"), (timezone, "_active"), (base, "_urlconfs"), (base, "_prefixes"), (connections, "_connections"))


def keep_by_thread() -> None:
    """Before the first request, in the process that serves: what was kept until then is forgotten, open connections too.

    Raises AttributeError when Django keeps one of these elsewhere.
    """
    for owner, name in KEPT:
        getattr(owner, name)
        setattr(owner, name, threading.local())
