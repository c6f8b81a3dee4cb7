"""The texts of the modules, in the visitor's language: sent with each page as JSON. {names} are filled in by the browser."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

Texts = dict[str, str | list[str]]
"""A list is for one and for several; the browser chooses by `count`."""


def catalogue() -> Texts:
    """Every text by its key; a test holds the keys against the modules."""
    return {**_general(), **_event(), **_seats(), **_concessions(), **_paying(), **_terms(), **_orders(), **_account(), **_shop()}


def _general() -> Texts:
    return {
        "back": _("Back"),
        "days": [_("{count} day"), _("{count} days")],
        "day": pgettext("date", "{weekday} {day} {month} {year}"),
        "error_busy": _("This part is not answering right now. Please try again in a moment."),
        "error_offline": _("We cannot be reached. Please check your connection and try again."),
        "error_unknown": _("That did not work. Please try again."),
        "field_email": _("Please enter an e-mail address like name@example.com."),
        "field_required": _("Please fill this in."),
        "field_wrong": _("Please check this."),
        "free_of_charge": _("Free"),
        "hours": [_("{count} hour"), _("{count} hours")],
        "grade": pgettext("grade of a seat", "{name} seat"),
        "left": _("{count} left"),
        "left_places": pgettext("places without numbers", "{count} left"),
        "log_in": _("Log in"),
        "log_in_with": _("Log in with {name}"),
        "my_bookings": _("My bookings"),
        "performance": _("Performance"),
        "places": [_("{count} place"), _("{count} places")],
        "show_more": _("Show more"),
        "sold_out": _("Sold out"),
        "status": _("Status"),
        "total": _("Total"),
        "try_again": _("Try again"),
        "won": _("₩{amount}"),
    }


def _event() -> Texts:
    return {
        "book": _("Book"),
        "choose_date": _("Choose a date and time"),
        "choose_seats": _("Choose seats"),
        "choose_time": _("Choose a time."),
        "date": _("Date"),
        "month_after": _("Next month"),
        "month_before": _("Previous month"),
        "not_on_sale": _("Not on sale"),
        "nothing_open": _("Nothing can be booked on this day."),
        "nth": pgettext("performance of the day", "No. {nth}"),
        "opens": _("Sales open {when}"),
        "presale_general": _("General sale {when}"),
        "presale_now": _("{name} is on"),
        "presale_opens": pgettext("name of a presale, and when it opens", "{name} {when}"),
        "presale_until": _("{left} until {name}"),
        "presale_until_general": _("{left} until the general sale"),
        "sales_over": _("Sales are over"),
        "zone_of_venue": _("Times are by the venue's clock: {zone}."),
    }


def _seats() -> Texts:
    return {
        "added": _("{place} chosen. In all {count}: {total}."),
        "all_grades": _("All grades"),
        "all_sold_out": _("This performance is sold out."),
        "all_seats": _("All seats"),
        "area_full": _("{area} has fewer places left than you chose. Please choose again."),
        "choose_places": _("Choose places"),
        "count_of": _("{count} of at most {limit}"),
        "free_again": _("Places have come back."),
        "give_back": _("Release"),
        "given_back": _("The places are released."),
        "go_on_paying": _("Continue to payment"),
        "grade_label": _("Grade"),
        "held_may_return": _("Some places are still being booked and may come back: this page shows them at once."),
        "limit": _("One buyer can have at most {limit} for this performance."),
        "none_free": _("No seats left here."),
        "not_free": _("{place} is not free."),
        "nothing_chosen": _("Nothing chosen yet."),
        "one_less": _("One less: {name}"),
        "one_more": _("One more: {name}"),
        "open_hold": _("You are holding {places} already."),
        "code_accepted": _("Your code is accepted. You can book now."),
        "code_accepted_early": _("Your code is accepted. You can book from {when} on."),
        "code_kept": _("A code is registered to your account. You can book from {when} on."),
        "code_help_before": _("{openings}. You can enter your code now already, and book as soon as the presale opens."),
        "code_help_open": _("Until the general sale ({when}) only who has a code can book. You can look at the seats."),
        "performance_gone": _("This performance cannot be booked any more."),
        "remove": _("Remove {place}"),
        "removed": _("{place} removed. In all {count}: {total}."),
        "room_all_sold_out": _(
            "No place is left at the moment. What is given back or not paid for can be had again: you may go on waiting."
        ),
        "room_closed": _("This performance was called off, or its sales have ended. It cannot be booked any more."),
        "room_hold_again": _("You are in. Your choice is kept as far as it is still free; please reserve it now."),
        "room_in": _("It is your turn. You can choose your seats now."),
        "room_people": [_("{count} person"), _("{count} people")],
        "room_unit": [pgettext("behind their number", "person"), pgettext("behind their number", "people")],
        "room_said": _("You are in the queue. Ahead of you: {count}. Expected wait: {wait}."),
        "room_sold_out": _(
            "No place of this performance is left at the moment. What is given back or not paid for can be had again: you may go on"
            " waiting, or choose another date. Your place in the queue is good for all of them."
        ),
        "room_tab": _("{count} ahead of you · {title}"),
        "room_tab_in": _("It is your turn · {title}"),
        "room_wait": _("about {count} min"),
        "room_wait_soon": _("less than a minute"),
        "room_wait_unknown": _("not known yet"),
        "row": _("Row {row}"),
        "seat_in_row": pgettext("seat", "row {row} seat {number}"),
        "seat_in_row_of_zone": pgettext("seat", "{zone} row {row} seat {number}"),
        "seat_in_zone": pgettext("seat", "{zone} seat {number}"),
        "seats_down": _("Seats cannot be loaded right now. Please try again in a moment."),
        "seats_lost": _("Just taken by someone else: {places}. The rest of your choice is kept."),
        "seats_lost_all": _("Just taken by someone else: {places}. Please choose other seats."),
        "seats_stale": _("Availability may have changed: it cannot be updated right now."),
        "state_blocked": _("not for sale"),
        "state_chosen": _("chosen"),
        "state_free": _("free"),
        "state_held": _("being booked by someone else"),
        "state_sold": _("sold"),
        "wheelchair": _("wheelchair place"),
        "obstructed": _("restricted view"),
    }


def _paying() -> Texts:
    return {
        "agree_first": _("Please confirm this to go on."),
        "choose_again": _("Choose again"),
        "extended": _("Time left now: {time}"),
        "hold_ended": _("Your time has run out"),
        "hold_ended_text": _("The places are free for others again. Nothing was paid. You can choose again if they are still free."),
        "method_door": _("Payment at the venue"),
        "method_door_text": _("Nothing is paid now. Please pay when you come."),
        "method_free": _("Free of charge"),
        "method_free_text": _("There is nothing to pay."),
        "method_kakaopay": _("KakaoPay"),
        "method_kakaopay_text": _("You confirm on KakaoPay's page and come back here."),
        "method_unknown": _("Payment in the next step"),
        "method_unknown_text": _("You choose how to pay in the next step."),
        "minutes": pgettext("number of minutes", "{count} min"),
        "payment": _("Payment"),
        "order_waits": _(
            "Very many people are paying right now. Your places stay held; we keep trying for you, so please leave this page open."
        ),
        "pay_amount": _("Continue: {amount}"),
        "pay_door": _("Confirm booking"),
        "pay_free": _("Book free of charge"),
        "pay_kakaopay": _("Pay {amount} with KakaoPay"),
        "release_text": _("Others can take them at once."),
        "release_title": _("Release these places?"),
        "release_yes": _("Release"),
        "seconds": pgettext("number of seconds", "{count} seconds"),
        "test_payment": _("Test payment."),
        "test_payment_short": _("Test payment"),
        "test_payment_text": _("Nobody is charged: this goes to a stand-in for KakaoPay."),
        "time_left": _("{time} left to pay. You can extend the time once."),
    }


def _concessions() -> Texts:
    return {
        "concession_amount": _("{amount} off"),
        "concession_dates": _("{dates} only"),
        "concession_dates_some": _("Some performances only"),
        "concession_from": _("bookable from {when}"),
        "concession_grades": _("{grades} only"),
        "concession_least": pgettext("concession", "{count} or more together"),
        "concession_most": pgettext("concession", "at most {count} a booking"),
        "concession_percent": _("{percent}% off"),
        "concession_same": _("All places like the first"),
        "concession_too_few": _("“{name}” is for {count} places or more of one booking."),
        "concession_too_many": _("“{name}” is for {count} places of one booking at most."),
        "concession_total": _("Total now: {total}."),
        "concession_until": _("bookable until {when}"),
        "concessions_down": _("Discounts cannot be loaded right now. Without them every place is at full price."),
        "full_price": _("Full price"),
        "proofs": _("Please have this ready at the entrance"),
        "proofs_agree": _("I will show this at the entrance."),
    }


def _terms() -> Texts:
    return {
        "called_off": pgettext("performance", "Called off"),
        "called_off_cancelled_text": _("The organiser called it off. Nothing was charged."),
        "called_off_choose_text": _("It cannot be booked any more."),
        "called_off_refunded_text": _(
            "The organiser called it off. All that you paid is refunded the way you paid; a card may take a few days."
        ),
        "called_off_refunding_text": _(
            "The organiser called it off. All that you paid is refunded the way you paid; you need not do anything."
        ),
        "called_off_text": _("The organiser called it off. Your booking ends by itself."),
        "called_off_title": _("This performance was called off"),
        "cancel_until": _("You can cancel until {when}."),
        "other_date": _("Other date"),
        "terms": _("Cancellation fees"),
        "terms_down": _("Cancellation fees cannot be shown right now."),
        "terms_fee": _("Fee for each ticket that you cancel:"),
        "terms_fee_both": _("{percent}% of the price, at least {amount}"),
        "terms_fee_flat": _("{amount} a ticket"),
        "terms_fee_flat_most": _("{amount} a ticket, at most {percent}% of the price"),
        "terms_fee_none": pgettext("fee", "Nothing"),
        "terms_fee_percent": _("{percent}% of the price"),
        "terms_free": _("Cancelling is free until then."),
        "terms_free_first": _("Free of charge within {time} of booking, as long as at least {days} are left before the performance."),
        "terms_free_first_always": _("Free of charge within {time} of booking."),
        "terms_over": _("Tickets for this performance cannot be cancelled any more."),
        "terms_until": pgettext("last day", "Until {when}"),
    }


def _orders() -> Texts:
    return {
        "booked_label": _("Booked on"),
        "booked_on": _("booked on {day}"),
        "booking": pgettext("order", "Booking"),
        "cancel_booking": _("Cancel the booking"),
        "cancel_group": _("These were booked together at a group price. Too few would be left: give all of them back, or none."),
        "cancel_in_progress": _("The payment is being confirmed; it can be cancelled after that."),
        "cancel_no": _("Keep it"),
        "cancel_not_now": _("It cannot be cancelled now."),
        "cancel_paid_at_door": _(
            "It was paid at the entrance, so it cannot be cancelled here. Please ask the organiser, who gives the money back."
        ),
        "cancel_paid_at_door_partly": _(
            "Tickets that were paid at the entrance cannot be cancelled here. Please ask the organiser, who gives the money back."
        ),
        "cancel_text": [
            _("Its place is given up; the ticket stops working at once."),
            _("{count} places are given up; their tickets stop working at once."),
        ],
        "cancel_title": _("Cancel this booking?"),
        "cancel_too_late": _("It is too late to cancel this booking."),
        "cancel_used": _("It was used at the entrance, so it cannot be cancelled."),
        "cancel_yes": _("Cancel it"),
        "cancelled_text": _("Nothing was charged. The places are free for others again."),
        "cancelled_paid_text": _("The places are free for others again. What you paid at the entrance comes back from the organiser."),
        "cancelled_title": _("This booking was cancelled"),
        "compensation": _("Owed by the organiser"),
        "compensation_text": _("The organiser pays this on top of the refund, apart from it."),
        "details": _("Details"),
        "door_due": _("To be paid at the entrance"),
        "door_given_back": _("Given back by the organiser"),
        "door_paid": _("Paid at the entrance"),
        "door_to_give_back": _("To be given back by the organiser"),
        "door_to_give_back_text": _("You paid this at the entrance. Please ask the organiser for it."),
        "given_up": _("Cancelled tickets"),
        "issued_text": _("Show the code below at the entrance. You find it again under My bookings."),
        "issued_title": _("Your booking is complete"),
        "order_number": _("No. {number}"),
        "order_number_label": _("Booking number"),
        "order_unknown": _("There is no such booking in your account."),
        "orders_down": _("Bookings cannot be loaded right now. They are safe; please try again in a moment."),
        "organiser_cancelled": _("Cancelled by the organiser"),
        "organiser_cancelled_title": _("The organiser cancelled this booking"),
        "organiser_refunded": _("Refunded by the organiser"),
        "organiser_refunded_title": _("The organiser refunded this booking"),
        "payment_cancelled_text": _(
            "That was done at the payment provider, not here, so nothing is confirmed. What you paid goes back the way you paid."
        ),
        "payment_cancelled_title": _("Your payment was cancelled"),
        "print": _("Print"),
        "qr_alt": _("Ticket code to be scanned at the entrance"),
        "refund_asking": _("Working out your refund…"),
        "refund_back": _("You get back"),
        "refund_before": _("Given back before"),
        "refund_choose": _("Cancel tickets"),
        "refund_choose_text": _("Choose the tickets to cancel. Nothing happens until you confirm below."),
        "refund_choose_title": _("Cancel tickets?"),
        "refund_fee": _("Cancellation fee"),
        "refund_none_chosen": _("Choose at least one ticket."),
        "refund_nothing": pgettext("refund", "Nothing"),
        "refunded": _("Refunded"),
        "refunded_outside": _("of which by the organiser, at the payment provider"),
        "refunded_text": _("What you paid is refunded the way you paid; a card may take a few days."),
        "refunded_title": _("Cancelled and refunded"),
        "refunded_unissued_text": _("We could not give you the places after the payment, so all of it is refunded the way you paid."),
        "refunded_unissued_title": _("Your payment was refunded"),
        "refunding_text": _("The payment is on its way back. This page follows it."),
        "refunding_title": _("Being refunded"),
        "settling_text": _("This takes a few seconds. You may close the page: nothing gets lost."),
        "settling_title": _("Confirming your payment"),
        "show_ticket": _("Show ticket"),
        "status_cancelled": pgettext("order", "Cancelled"),
        "status_issued": pgettext("order", "Confirmed"),
        "status_paying": pgettext("order", "Waiting for payment"),
        "status_pending": pgettext("order", "In progress"),
        "status_refunded": pgettext("order", "Refunded"),
        "status_refunding": pgettext("order", "Being refunded"),
        "ticket_cancelled": _("This ticket was cancelled."),
        "ticket_calendar": _("Add to calendar"),
        "ticket_called_off": _("This performance was called off."),
        "ticket_hint": _("Make the screen bright and hold the code to the scanner. One code lets one person in."),
        "ticket_number": _("Ticket {number}"),
        "ticket_pdf": _("PDF ticket"),
        "ticket_used": _("Used on {when}"),
        "ticket_unknown": _("There is no such ticket in your account."),
        "tickets": [_("{count} ticket"), _("{count} tickets")],
        "tickets_pdf": _("All tickets as PDF"),
        "unpaid_text": _("The payment is not finished. Pay while the time runs, or cancel to give the places back at once."),
        "unpaid_title": _("Not paid yet"),
    }


def _account() -> Texts:
    return {
        "auth_down": _("Your account cannot be loaded right now. Please try again in a moment."),
        "outside_join": _("Connect {name}"),
        "outside_joined": _("You can log in with {name} too."),
        "outside_not_joined": _("Log in with {name} instead of a password."),
        "outside_part": _("Disconnect {name}"),
        "password_changed": _("Your password is changed. You are logged out on other devices."),
        "password_set": _("Your new password is set. Please log in with it."),
        "reset_invalid": _("This link has been used or has run out. Please ask for a new one."),
        "reset_sent": _("If there is an account with this address, a mail with a link is on its way. It is good for an hour."),
        "saved": _("Saved."),
        "wait_before_login": _("Too many tries. Please wait {minutes} min and try again."),
    }


def _shop() -> Texts:
    return {
        "cancel_shop_order": _("Cancel the order"),
        "choose_option": _("Please choose"),
        "choose_option_first": _("Please choose an option first."),
        "extras": _("Merchandise"),
        "extras_choose": _("Choose merchandise"),
        "extras_drop": _("No, thanks"),
        "extras_left": _(
            "This was bought with the tickets and is not cancelled with them. You can still pick it up, or cancel it separately."
        ),
        "extras_later": _("{amount} for merchandise: a separate order, paid after the tickets."),
        "extras_text": _("Order now and pick it up at the event."),
        "extras_waiting": _("Still in your cart: pay for these separately and pick them up at the event."),
        "cancel_shop_text": _("The whole order is cancelled; what you paid is refunded the way you paid."),
        "cancel_shop_title": _("Cancel this order?"),
        "limit_pieces": _("At most {count} per person"),
        "left_pieces": pgettext("piece", "{count} left"),
        "option": pgettext("of a product", "Option"),
        "order_verb": pgettext("verb", "Order"),
        "pay_at_counter": _("{amount} is paid at the counter."),
        "pickup_code": _("Pick-up code"),
        "pieces": [_("{count} piece"), _("{count} pieces")],
        "refund_none_pieces": _("Choose at least one piece."),
        "shop_beside": _("You are choosing beside your booking."),
        "shop_beside_link": _("Bought with these tickets"),
        "shop_cancelled_text": _("Nothing was charged."),
        "shop_cancelled_title": _("This order was cancelled"),
        "shop_details": pgettext("merchandise", "Details"),
        "shop_down": _("The shop does not answer right now. Tickets are not affected; please try again in a moment."),
        "shop_called_off": _(
            "The event was called off, so nothing is sold here any more. What was paid for and not picked up is refunded by itself."
        ),
        "shop_over": _("The event is over, so nothing is sold here any more."),
        "shop_empty": _("There is nothing in the shop yet."),
        "shop_given_back": [_("{count} cancelled"), pgettext("several", "{count} cancelled")],
        "shop_issued_text": _("Pick it up at the merchandise counter with this code."),
        "shop_issued_title": _("Your order is confirmed"),
        "shop_number_label": _("Order number"),
        "shop_off_cancelled_text": _(
            "It was ordered with tickets for that performance, so it is cancelled with them. Nothing was charged."
        ),
        "shop_off_refunded_text": _(
            "It was ordered with tickets for that performance, so it was cancelled with them."
            " What you paid is refunded the way you paid; a card may take a few days."
        ),
        "shop_off_refunding_text": _(
            "It was ordered with tickets for that performance, so it is cancelled with them."
            " The payment is on its way back; you need not do anything."
        ),
        "shop_ordered_label": _("Ordered on"),
        "shop_ordered_on": _("ordered on {day}"),
        "shop_organiser_cancelled": pgettext("merchandise", "Cancelled by the organiser"),
        "shop_organiser_cancelled_title": _("The organiser cancelled this order"),
        "shop_organiser_refunded": pgettext("merchandise", "Refunded by the organiser"),
        "shop_organiser_refunded_title": _("The organiser refunded this order"),
        "shop_picked_up_text": _("Everything in it was handed over."),
        "shop_picked_up_title": _("This order was picked up"),
        "shop_refund": pgettext("merchandise", "Cancel items"),
        "shop_refund_text": _("What has not been picked up can be cancelled and is refunded in full."),
        "shop_refund_title": _("Cancel merchandise?"),
        "shop_status_issued": pgettext("merchandise", "Confirmed"),
        "shop_unpaid_text": _("The payment is not finished. Pay while the time runs, or cancel."),
        "shop_unpaid_title": _("Not paid yet"),
    }
