"""A server that speaks KakaoPay's online payment API v1, with the buyer's page, a ledger and faults to switch on. No money moves.

It is written from KakaoPay's documents and shares no code with the client it is there to test. One runs beside the embedded control
plane for all booking systems of the machine. Its address and keys come from the environment:

CLOVE_PUBLIC_URL     where buyers' browsers reach its page
STANDIN_SECRET_KEY   the secret key it accepts, or the secret file `kakaopay-secret-key`
STANDIN_ADMIN_KEY    the key of `/admin/…`; without it there is no admin API
STANDIN_TID_LIFE_S   how long a payment may be approved after `ready` (900)
"""
