// A hold's time: counted from what the server said was left, because the visitor's clock may be wrong.

/** The moment, on this page's monotonic clock, when SECONDS that an answer gave at RECEIVED_AT (ms) have passed. */
export function deadline(seconds, receivedAt) {
  return receivedAt + seconds * 1000;
}

/** Seconds from NOW (ms) to UNTIL (ms), never below 0. */
export function left(until, now) {
  return Math.max(0, (until - now) / 1000);
}

/** Which of the MARKS (seconds) were passed when the time left went from BEFORE to AFTER. */
export function passed(marks, before, after) {
  return marks.filter((mark) => before > mark && after <= mark);
}
