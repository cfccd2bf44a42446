"""What the refusals of this API mean, for the page that each problem links to."""

from __future__ import annotations

from infra.web.catalogue import ProblemPage, add_problems

PAGES: dict[str, ProblemPage] = {
    "reservation.no_rule": ProblemPage(
        "Channel shows nothing",
        "The channel has no rule for the article, so nothing of it can be sold there.",
        "Set a rule for the channel, then reserve again.",
    ),
    "reservation.expired": ProblemPage(
        "Time is over",
        "The time of the reservation is over, and its goods may be sold.",
        "Reserve again, or take a backorder.",
    ),
    "reservation.converted": ProblemPage(
        "Taken by an order",
        "An order has taken what was reserved.",
        "Cancel the order to give the goods back.",
    ),
    "reservation.released": ProblemPage(
        "Given back",
        "The reservation was given back, and its goods may be sold.",
        "Reserve again under a new key.",
    ),
    "reservation.key_used": ProblemPage(
        "Key used before",
        "The client key was used for another article, quantity or place.",
        "Use a key of its own for each reservation.",
    ),
    "kit.contains_itself": ProblemPage(
        "Kit contains itself",
        "A part of the kit is the kit, or is made of it.",
        "Take that part out.",
    ),
    "kit.version_exists": ProblemPage(
        "Version exists",
        "The kit has a version of that moment or a later one.",
        "Choose a later moment.",
    ),
    "stock.base_unit": ProblemPage(
        "Kept in another unit",
        "An article is kept in one unit, and conversions lead from others to it.",
        "Give the conversion of another unit into the one that is named.",
    ),
    "oversell.decided": ProblemPage(
        "Already decided",
        "The case was decided before, or its goods came.",
        "Read it again; there is nothing left to do.",
    ),
    "oversell.incomplete": ProblemPage(
        "Decision not complete",
        "The decision lacks the place, the article or the words that it needs.",
        "Fill the field that is named.",
    ),
    "tenant.not_named": ProblemPage(
        "Retailer not named",
        "The key reaches several retailers and the request does not say which one it is about.",
        "Send the retailer's id in the header Tenant-Id.",
    ),
    "cursor.invalid": ProblemPage(
        "Cursor not valid",
        "The cursor was not given by this list.",
        "Take `next_cursor` of the page before unchanged, or start again without one.",
    ),
    "time.range_invalid": ProblemPage(
        "Time range not valid",
        "The range is empty, turned round or too long.",
        "Choose `since` before `until`, by at most 31 days.",
    ),
    "hold.already_decided": ProblemPage(
        "Already decided",
        "Somebody else decided about this exception before, or it went away by itself.",
        "Read its present state; there is nothing left to do.",
    ),
    "hold.effect_unknown": ProblemPage(
        "Effect unknown",
        "The target's last answer was lost, so it may already have this record.",
        "Release it, so that it is sent again under the same key, or discard it.",
    ),
    "journal.not_refused": ProblemPage(
        "Not refused",
        "The books did not refuse this journal, so there is nothing to send again.",
        "Read its present state.",
    ),
    "journal.period_open": ProblemPage(
        "Period open",
        "By the posting rules the journal has the right date already.",
        "Write the last closed day into `closed_until` of the posting rules, then date the journal"
        " anew.",
    ),
    "exceptions.tag_invalid": ProblemPage(
        "Tag not usable",
        "A tag has other characters than lower-case letters, digits, hyphens and underscores.",
        "Use 1 to 40 of these.",
    ),
    "bulk.too_many": ProblemPage(
        "Too many at once",
        "One call acts on at most 10,000 exceptions.",
        "Split the ids over several calls, or give a filter and go on with `resume_after`.",
    ),
    "mapping.invalid": ProblemPage(
        "Rules not usable",
        "A rule of the mapping names a field that no event of the flow has, or cannot be computed.",
        "Each entry of `errors` names a rule by its place. Correct these and try again.",
    ),
    "flow.version_changed": ProblemPage(
        "Published meanwhile",
        "Another version of the flow was published since the one that you have seen.",
        "Read the present version, then publish on top of it.",
    ),
    "override.invalid": ProblemPage(
        "Override not possible",
        "An override by hand needs an end within 90 days and, to set a value, a field of the event.",
        "Correct the field that `errors` names.",
    ),
    "override.ended": ProblemPage(
        "Ended already",
        "This override has ended, by itself or by somebody else.",
        "There is nothing left to do.",
    ),
    "price.not_held": ProblemPage(
        "Not waiting for approval",
        "This price was approved before, or never waited for approval.",
        "Read its present state; there is nothing to approve.",
    ),
    "price.not_current": ProblemPage(
        "Not in force",
        "Only the version that counts can be ended: it waits, was replaced, or was ended before.",
        "Read the present version of the price and end that.",
    ),
    "price.zone_unknown": ProblemPage(
        "Time zone not known",
        "A price begins by the clock of its place, and this is no time zone.",
        "Write one such as America/New_York.",
    ),
    "price.scope_unknown": ProblemPage(
        "Scope not known",
        "What a place belongs to is written as kind:name.",
        "Write region:west, store_group:outlet, channel:web or customer_group:staff.",
    ),
    "price.connection_missing": ProblemPage(
        "Connection not there",
        "A place takes prices through a connection of the retailer, and there is none of this name.",
        "Set the connection up first, or correct its name.",
    ),
    "incident.still_open": ProblemPage(
        "Incident still open",
        "Records of this incident are held or wait, or its connection does not work yet.",
        "Decide about what is held; what waits closes it by itself when it is through.",
    ),
    "incident.snooze_invalid": ProblemPage(
        "Moment not possible",
        "An incident is left in peace for at most 30 days, until a moment to come.",
        "Choose a moment within the next 30 days.",
    ),
    "alert.kind_unknown": ProblemPage(
        "Kind of channel not known",
        "Alerts go to channels of a few kinds, and this is none of them.",
        "Choose one of the kinds that the answer names.",
    ),
    "alert.address_invalid": ProblemPage(
        "Address not usable",
        "The address of a channel is not one plain e-mail address, or a URL that may not be called.",
        "Give one e-mail address, or an https URL that is open to the public network.",
    ),
    "alert.too_many_channels": ProblemPage(
        "Too many channels",
        "A retailer or partner has at most 50 channels for alerts.",
        "Remove a channel that nobody reads.",
    ),
    "alert.channel_in_use": ProblemPage(
        "Channel in use",
        "A channel that is switched on cannot be removed: people may rely on it.",
        "Switch it off first, then remove it.",
    ),
    "alert.channel_off": ProblemPage(
        "Channel switched off",
        "Nothing is sent to a channel that is switched off.",
        "Switch it on; if its receiver had said that it is gone, change the address first.",
    ),
    "alert.no_secret": ProblemPage(
        "Channel without a secret",
        "What goes to channels of this kind is not signed.",
        "There is nothing to change.",
    ),
    "replay.too_many": ProblemPage(
        "Too many records",
        "A replay brings at most 100,000 records.",
        "Choose fewer: a shorter time, one flow or one code.",
    ),
    "replay.too_many_previews": ProblemPage(
        "Too many previews",
        "A retailer can have 20 previews under way at once.",
        "Wait until one is ready, or cancel one.",
    ),
    "replay.preview_too_old": ProblemPage(
        "Preview too old",
        "A preview can be started for 15 minutes and approved for 4 hours; then much may have changed.",
        "Preview the same selection again, then start.",
    ),
    "replay.wrong_state": ProblemPage(
        "Not possible now",
        "Only a ready preview can be started, and only what waits for approval be approved.",
        "Read the replay's present state.",
    ),
    "replay.nothing_to_do": ProblemPage(
        "Nothing to replay",
        "Every chosen record was left out, because it could not be brought safely.",
        "Read its items: each says why, and what to do first.",
    ),
    "replay.second_person_needed": ProblemPage(
        "Second person needed",
        "Whoever asked for a replay, or started it, cannot approve it.",
        "Let somebody else approve it who may.",
    ),
    "edit.wrong_kind": ProblemPage(
        "Wrong kind of content",
        "A message that cannot be read takes a new raw body; a refused delivery takes a new event.",
        "Read the exception: with a `delivery_id` give `event`, without one give `body`.",
    ),
    "event.contract": ProblemPage(
        "Event against its contract",
        "A field of the event is missing or of another kind than its contract says.",
        "Start from the content that the event shows, and change only what is wrong.",
    ),
    "event.identity_changed": ProblemPage(
        "Another event",
        "Type, key and object id say which fact about which object this is.",
        "Leave them as they are; or discard the exception and send another event.",
    ),
    "event.amount": ProblemPage(
        "Amount not valid",
        "An amount is not a finite number, or larger than the book can hold.",
        "Give amounts as texts below 10,000,000,000,000.",
    ),
    "event.envelope": ProblemPage(
        "Event without a valid envelope",
        "The attributes `specversion`, `id`, `source` and `type` of CloudEvents are needed.",
        "Give all four, each as a text of at most 256 printable characters.",
    ),
    "event.version": ProblemPage(
        "Other version of CloudEvents",
        "Only events of CloudEvents 1.0 are taken.",
        "Send `specversion` 1.0.",
    ),
    "event.source_unknown": ProblemPage(
        "Source not known",
        "The event's `source` is none of this retailer's connections.",
        "Use the name or the id of a connection.",
    ),
    "batch.size": ProblemPage(
        "Batch of the wrong size",
        "A batch is empty or has too many events.",
        "Send between 1 and 1,000 events at once.",
    ),
    "idempotency.key_invalid": ProblemPage(
        "Idempotency-Key not valid",
        "The key has characters that are not visible ASCII, or more than 255.",
        "Use 1 to 255 visible characters, for example a UUID.",
    ),
    "idempotency.key_reused": ProblemPage(
        "Idempotency-Key used before",
        "The same key was sent with another body within 72 hours.",
        "Use a new key for each new request, the old one only for its repeats.",
    ),
    "idempotency.in_progress": ProblemPage(
        "Still running",
        "A request with this Idempotency-Key has not been answered yet.",
        "Wait for Retry-After, then send the same request again.",
    ),
    "connection.no_credentials": ProblemPage(
        "No credential needed",
        "Calls to the system of this connection carry no credential, so there is none to give anew.",
        "Look at its settings instead, such as its address.",
    ),
    "reconnect.credential_missing": ProblemPage(
        "Credential missing",
        "A credential that the link asks for was not given.",
        "Give all that are asked for, together.",
    ),
    "reconnect.credential_not_asked": ProblemPage(
        "Credential not asked for",
        "The link does not ask for a credential of this name.",
        "Give only those that are asked for.",
    ),
    "connection.secret_invalid": ProblemPage(
        "Credential not usable",
        "The credential is empty or too large.",
        "Copy it again from the system that issued it.",
    ),
    "connection.no_files": ProblemPage(
        "Connection takes no files",
        "The system of this connection is not read from files.",
        "Use the connection that was made for files.",
    ),
    "file.too_large": ProblemPage(
        "File too large",
        "The file is beyond what is taken in one piece.",
        "Send it in several parts.",
    ),
    "file.name": ProblemPage(
        "File name not valid",
        "The name is empty, too long or has characters that cannot be shown.",
        "Use 1 to 200 printable characters.",
    ),
    "keys.erased": ProblemPage(
        "Content erased",
        "The content of that month was erased on request and cannot be read by anyone.",
        "There is none: what is erased stays erased.",
    ),
    "backlog.full": ProblemPage(
        "Too much under way",
        "As much of this retailer waits to be delivered as its plan allows; nothing was stored.",
        "Send the same request again after the time in Retry-After. See why deliveries wait.",
    ),
    "service.overloaded": ProblemPage(
        "Too much at once",
        "More messages wait to be stored than one process should hold.",
        "Send the same request again after the time in Retry-After.",
    ),
    "request.method": ProblemPage(
        "Method not allowed", "Webhooks are sent with POST.", "Use POST."
    ),
}


def explain_refusals() -> None:
    """Add the pages; doing so twice changes nothing."""
    add_problems(PAGES)
