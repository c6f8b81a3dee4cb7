"""The words of everything that rendering can say: what is wrong with a requirement, and why an image was chosen or not."""

from controlplane.lib.reasons import declare, gettext_noop

declare(
    {
        # Any value
        "required": gettext_noop("This is needed."),
        "wrong_type": gettext_noop("This must be %(wanted)s."),
        "unknown_key": gettext_noop("There is no such entry."),
        "too_long": gettext_noop("At most %(limit)s characters, please; this has %(length)s."),
        "control_character": gettext_noop("This holds a character that cannot be shown: %(character)s."),
        "out_of_range": gettext_noop("This must be between %(low)s and %(high)s."),
        "not_an_option": gettext_noop("This must be one of: %(options)s."),
        "too_few": gettext_noop("At least %(limit)s, please."),
        "too_many": gettext_noop("At most %(limit)s, please; there are %(count)s."),
        "bad_format": gettext_noop("This must look like %(example)s."),
        "not_a_time": gettext_noop("This must be a date and time such as 2027-01-10T19:30:00+09:00."),
        "naive_time": gettext_noop("The time needs its offset from UTC, as in 2027-01-10T19:30:00+09:00."),
        "duplicate": gettext_noop("This is there twice: %(value)s."),
        "more_problems": gettext_noop("There is more; correct these first."),
        "not_json": gettext_noop("This is not readable as JSON: %(detail)s"),
        "no_such_file": gettext_noop("There is no file %(file)s next to the requirement."),
        # Requirement
        "unknown_version": gettext_noop("Version %(version)s of the requirement format is not known; this is version 1."),
        "bad_slug": gettext_noop(
            "An address has small letters, digits and hyphens, begins and ends with a letter or digit, and has at most 40 of them."
        ),
        "reserved_slug": gettext_noop("The address %(slug)s is kept for the platform."),
        "slug_taken": gettext_noop("The address %(slug)s is taken."),
        "slug_fixed": gettext_noop("The address cannot be changed after the event was opened: tickets and links name it."),
        "price_missing": gettext_noop("Grade %(grade)s has seats and no price."),
        "grade_unknown": gettext_noop("There is no grade %(grade)s."),
        "too_many_seats": gettext_noop("A plan has at most %(limit)s seats; this one has %(count)s."),
        "no_seats": gettext_noop("The plan has no seat."),
        "duplicate_seat": gettext_noop("Two seats have the id %(seat)s."),
        "seat_unknown": gettext_noop("The plan has no seat %(seat)s."),
        "category_unknown": gettext_noop("The plan has no category %(category)s."),
        "both_seatings": gettext_noop("Give a plan for numbered seats or areas for unnumbered places, not both."),
        "duplicate_performance": gettext_noop("Two performances begin at %(starts_at)s."),
        "performance_past": gettext_noop("This performance has begun already."),
        "sales_reversed": gettext_noop("Sales must open before they close."),
        "sales_after_performances": gettext_noop("Sales must close before the last performance begins."),
        "sales_past": gettext_noop("The sales period is over already."),
        "limit_over_capacity": gettext_noop("There are fewer places (%(capacity)s) than one buyer may have."),
        "products_without_merchandise": gettext_noop("Products need merchandise to be switched on."),
        "stock_and_options": gettext_noop("A product has a stock, or options with a stock each, not both."),
        "nothing_to_pay": gettext_noop("With payment at least one grade or product needs a price above 0."),
        "bad_issuer": gettext_noop("An issuer is an https address such as https://id.example.com, without a port or a question mark."),
        # Choosing images
        "chosen_only": gettext_noop("It is the image of the %(service)s service."),
        "chosen_capability": gettext_noop("%(capability)s is %(value)s, as the requirement asks."),
        "chosen_version": gettext_noop("%(version)s is the newest version of those that fit."),
        "lacks_capability": gettext_noop("%(capability)s is %(value)s, but the requirement asks for %(wanted)s."),
        "older_version": gettext_noop("A newer version fits as well: %(other)s."),
        "other_preferred": gettext_noop("%(other)s fits as well and comes first."),
        "image_disabled": gettext_noop("It is switched off in the container pool."),
        "not_needed": gettext_noop("The requirement does without the %(service)s service."),
        "no_image": gettext_noop("The container pool has no image of the %(service)s service."),
        "no_image_fits": gettext_noop("No image of the %(service)s service in the container pool fits: %(missing)s."),
        "no_pages": gettext_noop("The container pool has no image that serves the buyer's pages."),
        "no_image_signs_in": gettext_noop("No image in the container pool signs buyers in with an outside provider."),
        "bad_labels": gettext_noop("The image's label %(label)s cannot be used: %(value)s."),
    }
)
