"""How the daily backup goes, as the CronJob that makes it and the Jobs that it made tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from controlplane.runtime.kubernetes import logs
from controlplane.runtime.kubernetes.api import Api
from controlplane.runtime.kubernetes.podstate import parse_time
from controlplane.runtime.kubernetes.resources import BY_KIND, POD
from controlplane.runtime.port import Backup, SystemRef

CRON_JOB = BY_KIND["CronJob"]
JOB = BY_KIND["Job"]
JOB_LABEL = "batch.kubernetes.io/job-name"
LAST_WORDS = 3
"""Lines of what a backup wrote last that are looked at."""
_FULL = re.compile(r"No space left on device|Disk quota exceeded|errno: 28|Errcode: 28")
_BROKEN = re.compile(r"The dump is not whole|unexpected end of file|crc error")


def backup(api: Api, system: SystemRef, cron_jobs: Sequence[Mapping[str, Any]]) -> Backup | None:
    """Of the one there is among CRON_JOBS. What it made is asked for only while the last that was due is not known to be good."""
    if not cron_jobs:
        return None
    cron_job = cron_jobs[0]
    status = cron_job.get("status") or {}
    good_at, due_at = status.get("lastSuccessfulTime", ""), status.get("lastScheduleTime", "")
    if not due_at or (good_at and parse_time(good_at) >= parse_time(due_at)):
        return Backup(good_at)
    failed = _last_failed(api, system, cron_job, after=good_at)
    if failed is None:
        return Backup(good_at)
    job, condition = failed
    return Backup(good_at, condition["lastTransitionTime"], _why(api, system, job, condition))


def _last_failed(
    api: Api, system: SystemRef, cron_job: Mapping[str, Any], *, after: str
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The Job of CRON_JOB that failed last, since AFTER, with what is said of it."""
    found = []
    for job in api.items(JOB, system.namespace):
        is_own = any(owner["uid"] == cron_job["metadata"]["uid"] for owner in job["metadata"].get("ownerReferences") or ())
        conditions = (job.get("status") or {}).get("conditions") or ()
        failed = next((one for one in conditions if one["type"] == "Failed" and one["status"] == "True"), None)
        if is_own and failed and (not after or parse_time(failed["lastTransitionTime"]) > parse_time(after)):
            found.append((job, failed))
    return max(found, key=lambda pair: parse_time(pair[1]["lastTransitionTime"]), default=None)


def _why(api: Api, system: SystemRef, job: Mapping[str, Any], condition: Mapping[str, Any]) -> str:
    pods = api.items(POD, system.namespace, selector=f"{JOB_LABEL}={job['metadata']['name']}")
    pods.sort(key=lambda pod: parse_time(pod["metadata"]["creationTimestamp"]))
    container = job["spec"]["template"]["spec"]["containers"][0]["name"]
    for pod in reversed(pods):
        lines = logs.last_words(api, system.namespace, pod["metadata"]["name"], container, lines=LAST_WORDS, previous=False)
        if lines:
            return _in_words(lines)
    return f"The backup failed: {condition.get('message') or condition.get('reason') or 'no reason is given.'}"


def _in_words(lines: Sequence[str]) -> str:
    said = "\n".join(lines)
    if _FULL.search(said):
        return "The volume for the backups is full."
    if _BROKEN.search(said):
        return "The backup that was written could not be read again."
    return f"The backup failed: {lines[-1].strip()}"
