"""The words of everything that is said about booking systems and their operations."""

from controlplane.lib.reasons import declare, gettext_noop

declare(
    {
        # Not allowed
        "needs_manager": gettext_noop("You can look at this event, but not change it. Ask its owner to make you a manager."),
        "needs_owner": gettext_noop("Only the owner of this event can do this."),
        # Refused
        "account_closed": gettext_noop("This account was closed or locked meanwhile. Nothing was opened."),
        "not_a_draft": gettext_noop("It was deployed already."),
        "not_live": gettext_noop("It is not live, so there is nothing that buyers could see yet."),
        "being_changed": gettext_noop("It is being changed just now. Nothing was saved; try again in a moment."),
        "no_such_service": gettext_noop("This booking system has no %(service)s service."),
        "service_older": gettext_noop(
            "This booking system runs an older version of %(service)s, which cannot do this yet. Deploying it again brings it up to date."
        ),
        "no_such_product": gettext_noop("There is no product %(product)s."),
        "not_deployed": gettext_noop("It was never deployed."),
        "restoring": gettext_noop("A backup is being put back. Until that has ended, nothing else can be asked of it."),
        "said_anew": gettext_noop("An admin of the platform has to say again which backup is put back."),
        "data_gone_first": gettext_noop("Its data are gone. An admin of the platform has to say first how it goes on."),
        "being_deleted": gettext_noop("It is being deleted, or was."),
        "generation_conflict": gettext_noop(
            "It was changed meanwhile (version %(current)s, not %(expected)s). Look at it again, then decide."
        ),
        "nothing_failed": gettext_noop("Nothing failed that could be tried again."),
        "other_revision": gettext_noop("Revision %(number)s belongs to another booking system."),
        "name_differs": gettext_noop("The name typed is not %(title)s."),
        "performance_name_differs": gettext_noop("What was typed is not %(name)s, so nothing was called off."),
        "paid_tickets_stand": gettext_noop(
            "%(tickets)s paid tickets for coming performances and %(payments)s open payments stand. Refund them first; nothing was deleted."
        ),
        "tickets_stand": gettext_noop(
            "%(tickets)s valid tickets for coming performances stand, though nothing was paid for them. "
            "Take them back or call the performances off first; nothing was deleted."
        ),
        "refunds_open": gettext_noop("%(refunds)s refunds are still under way. Nothing was deleted; try again when they are made."),
        "goods_stand": gettext_noop(
            "%(orders)s paid orders of merchandise are to be picked up at a coming performance. Nothing was deleted; refund them first."
        ),
        "tickets_unknown": gettext_noop(
            "The ticket service does not answer, so nobody knows what was sold. Nothing was deleted; try again soon."
        ),
        # People of an event
        "bad_address": gettext_noop("This is no e-mail address."),
        "invites_owner": gettext_noop("The event is this account's own."),
        "is_member": gettext_noop("This account takes part already. Change its role in the list."),
        "too_many_people": gettext_noop("An event has at most %(limit)s people and open invitations."),
        "accepted_meanwhile": gettext_noop("This invitation was accepted meanwhile. Remove the person in the list instead."),
        "other_address": gettext_noop("This invitation is for an account with another e-mail address. Log in with that one."),
        "owners_part": gettext_noop("Only the owner of this event changes this. Leave it as it is."),
        "owners_revision": gettext_noop(
            "That revision differs in what only the owner of this event changes, so only they can bring it back."
        ),
        "no_picture": gettext_noop("Choose a picture."),
        "picture_too_large": gettext_noop("The picture is larger than %(limit)s MB."),
        "not_a_picture": gettext_noop("This is not a PNG, JPEG or WebP picture of at most %(side)s pixels a side."),
        "too_many_pictures": gettext_noop("You have %(limit)s pictures already. Those that nothing names are forgotten after a week."),
        "unknown_picture": gettext_noop("This picture is not kept here any more. Upload it again."),
        "bad_secret": gettext_noop("A secret has between 1 and %(limit)s characters, in one line."),
        "too_many_secrets": gettext_noop("You have typed %(limit)s secrets already. Those that nothing names are forgotten after a week."),
        "unknown_secret": gettext_noop("This secret is not kept here. Type it again."),
        # A provider to sign in with
        "issuer_private": gettext_noop("%(host)s is in a private network, where booking systems of this platform do not sign anybody in."),
        "issuer_silent": gettext_noop("%(host)s does not answer. Check the address, or try again later."),
        "issuer_none": gettext_noop(
            "No OpenID Connect provider answers at %(host)s: its description /.well-known/openid-configuration is missing or unreadable."
            " (HTTP %(status)s)"
        ),
        "issuer_differs": gettext_noop("The provider that answers there calls itself “%(issuer)s”. Write exactly that."),
        "issuer_endpoint": gettext_noop("The provider's description has no usable %(endpoint)s: an https address is needed."),
        # Why an operation failed
        "superseded": gettext_noop("A later change took its place."),
        "no_progress": gettext_noop("Nothing moved for %(seconds)s seconds. Last seen: %(last)s"),
        "workload_failed": gettext_noop("The %(service)s service does not start: %(message)s"),
        "system_failed": gettext_noop("The booking system does not start: %(message)s"),
        "rejected": gettext_noop("The runtime refused it: %(detail)s"),
        "forbidden": gettext_noop("The platform is not allowed to do this: %(detail)s"),
        "quota_full": gettext_noop("There is no room left: %(detail)s"),
        "owned_by_another": gettext_noop("Somebody else owns it: %(detail)s"),
        "unsupported": gettext_noop("This runtime cannot do that: %(detail)s"),
        "runtime_unavailable": gettext_noop("The runtime does not answer: %(detail)s"),
        "runtime_busy": gettext_noop("The runtime is busy: %(detail)s"),
        "runtime_failure": gettext_noop("The runtime failed: %(detail)s"),
        "content_refused": gettext_noop("The %(service)s service refused its content: %(detail)s"),
        "content_unknown": gettext_noop(
            "The image of %(service)s in the container pool is older than this platform, and cannot show everything that was filled in "
            "(%(fields)s). Leave that empty, or ask the platform's admin to register a newer image; then deploy again."
        ),
        "pictures_missing": gettext_noop("%(count)s pictures of products are not kept any more. Upload them again."),
        "would_orphan": gettext_noop("Places are sold or held that the new plan or performances no longer have: %(places)s."),
        "would_orphan_seats": gettext_noop(
            "Places are sold or held, so numbered seats and areas cannot take each other's place: %(performances)s."
        ),
        "would_orphan_payments": gettext_noop(
            "Without the payment provider, what was paid could not be refunded: %(payments)s payments under way, %(tickets)s paid tickets, "
            "%(goods)s paid orders of merchandise."
        ),
        "bookings_under_way": gettext_noop(
            "Buyers are booking just now: %(places)s places are held that could still be paid for. Try again in some minutes."
        ),
        "would_orphan_goods": gettext_noop(
            "Merchandise cannot go: %(goods)s paid orders wait to be picked up, %(payments)s payments are under way."
        ),
        "shape_while_suspended": gettext_noop("Resume it first: whether something was sold can only be asked of services that run."),
        "service_silent": gettext_noop("The %(service)s service does not answer: %(detail)s"),
        "check_keys": gettext_noop("The token keys that the auth service publishes are not those it was given."),
        "check_page": gettext_noop("The buyer's page %(path)s answers %(status)s."),
        "check_probe": gettext_noop("Holding and releasing a place to try it out failed: %(detail)s"),
        "internal": gettext_noop("Something unexpected happened; it is in the platform's log: %(detail)s"),
        "broken_plan": gettext_noop("The manifests could not be made: %(detail)s"),
        # What a step says
        "step_images": gettext_noop("%(count)s services: %(services)s."),
        "step_objects": gettext_noop("%(count)s objects."),
        "step_changes": gettext_noop("%(create)s to create, %(update)s to change, %(delete)s to remove."),
        "step_ready": gettext_noop("%(ready)s of %(wanted)s services are ready."),
        "step_resized": gettext_noop("%(ready)s of %(wanted)s services are ready. Resized without a restart: %(services)s."),
        "step_resized_anew": gettext_noop(
            "%(ready)s of %(wanted)s services are ready. The %(service)s service got new copies for its new size: %(why)s"
        ),
        "step_content": gettext_noop("Given to: %(services)s."),
        "step_content_same": gettext_noop("Nothing changed; what was edited live stays."),
        "step_checked": gettext_noop("Keys verify, the page opens, a place was held and released."),
        "step_live": gettext_noop("Buyers can come: %(url)s"),
        "archive_moved": gettext_noop("A payment came in while the sales were being archived; they are taken anew."),
        "archive_refused": gettext_noop(
            "The %(service)s service does not give its sales away, so nothing was deleted: %(detail)s An admin can delete without them."
        ),
        "step_archived": gettext_noop("%(count)s records of sales are kept."),
        "step_not_archived": gettext_noop("No sales were archived: %(detail)s"),
        "step_removed": gettext_noop("Everything that ran is gone, with its volumes."),
        "step_removing": gettext_noop("Being removed."),
        "step_blocked": gettext_noop("Being removed. What keeps it: %(detail)s"),
        "step_forgotten": gettext_noop("Secrets are destroyed, and the address is free again."),
    }
)
