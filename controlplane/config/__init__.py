"""How the control plane is put together for Django and Celery."""
