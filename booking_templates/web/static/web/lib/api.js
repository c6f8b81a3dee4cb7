// Calls to /api with the buyer's cookies. An access token lives ten minutes: it is renewed shortly before, and a 401 is answered by one
// refresh and one retry.
import { t } from "./client.js";
import { session } from "./session.js";
import { browser, tab } from "./storage.js";

/** An answer that is an error: problem+json, or no answer at all (code `offline`). */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || t("error_unknown"));
    this.status = status;
    this.code = body.code || "unknown";
    this.errors = body.errors || {};
    this.body = body;
    this.retryAfter = null;
  }

  get isPassing() {
    return this.code === "offline" || this.status === 429 || this.status >= 500;
  }
}

const OWN_401 = /^\/api\/auth\/(login|signup|refresh|logout)$/;
const REFRESH_LOCK = "clove-refresh";
const RENEWED = "clove.renewed";
const RENEWING = "clove.renewing";
const RENEW_AFTER_MS = 9 * 60 * 1000;

let isLoggedOut = false;

async function send(method, path, { json, key, headers, signal, timeoutMs = 20000 }) {
  const sent = { Accept: "application/json", "X-Clove-Request": "1", ...headers };
  if (json !== undefined) sent["Content-Type"] = "application/json";
  if (key) sent["Idempotency-Key"] = key;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await fetch(path, {
      method,
      headers: sent,
      body: json === undefined ? undefined : JSON.stringify(json),
      credentials: "same-origin",
      cache: headers?.["If-None-Match"] ? "no-store" : "default",
      signal: signal && AbortSignal.any ? AbortSignal.any([signal, limit]) : limit,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { code: "offline", detail: t("error_offline") });
  }
}

/**
 * Renew the session; whether it lives. Throws Problem while logins do not answer: it may live.
 * A refresh token used twice ends the whole session, so tabs take turns. What is sent again with its key is one use: the answer may be lost,
 * or the page left, before the new token has come.
 */
async function refresh(since) {
  const renew = async () => {
    if (renewedAt() > since) return true;
    const key = browser.read(RENEWING) || newKey();
    browser.write(RENEWING, key);
    const answer = await send("POST", "/api/auth/refresh", { key });
    if (answer.status === 409) {
      // Another tab is renewing it at this moment, where there is no lock to wait for: its cookies are ours too.
      await new Promise((resolve) => setTimeout(resolve, 400));
      return true;
    }
    if (answer.ok) {
      renewed();
      return true;
    }
    if (answer.status >= 500 || answer.status === 429) throw new Problem(answer.status, (await read(answer)) || {});
    browser.drop(RENEWING);
    session.forget();
    return false;
  };
  return navigator.locks ? navigator.locks.request(REFRESH_LOCK, renew) : renew();
}

/** Remember that the login was made or renewed just now. */
export function renewed() {
  browser.write(RENEWED, String(Date.now()));
  browser.drop(RENEWING);
}

/** When that was; 0 where it is still to come, for this browser's clock has been put back since. */
function renewedAt() {
  const at = Number(browser.read(RENEWED) || 0);
  return at <= Date.now() ? at : 0;
}

/** Whether the access token, as far as this browser knows when it was made, has nearly run out at NOW. */
function isDue(now) {
  const at = renewedAt();
  return !isLoggedOut && session.name !== null && at > 0 && now - at > RENEW_AFTER_MS;
}

/**
 * Call METHOD PATH. Resolves to {status, body, headers}; 304 is no error.
 * Throws Problem. OPTIONS: json, key (Idempotency-Key), headers, signal, timeoutMs.
 */
export async function api(method, path, options = {}) {
  const started = Date.now();
  // Logins being down must not hold up what the token still admits to.
  if (isDue(started) && !OWN_401.test(path)) await refresh(started - RENEW_AFTER_MS).catch(() => false);
  let answer = await send(method, path, options);
  if (answer.status === 401 && !OWN_401.test(path) && !isLoggedOut) {
    if (await refresh(started)) answer = await send(method, path, options);
    else isLoggedOut = true;
  }
  const body = await read(answer);
  if (answer.ok || answer.status === 304) return { status: answer.status, body, headers: answer.headers };
  const problem = new Problem(answer.status, body || {});
  problem.retryAfter = Number(answer.headers.get("Retry-After")) || null;
  throw problem;
}

async function read(answer) {
  if (answer.status === 204 || answer.status === 304) return null;
  try {
    return await answer.json();
  } catch {
    // An error page of whatever stands between us: no problem+json, and its text is not for people.
    return answer.ok ? null : { code: "unknown", detail: answer.status >= 500 ? t("error_busy") : t("error_unknown") };
  }
}

/** Where to log in and come back to this page. */
export function loginPath() {
  return `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Send the visitor to log in when PROBLEM says so; whether it did. */
export function goToLogin(problem) {
  if (!(problem instanceof Problem) || problem.status !== 401) return false;
  location.assign(loginPath());
  return true;
}

/** A key that stays the same for the same PURPOSE in this tab: a second press or a reload repeats the request, not the order. */
export function stableKey(purpose) {
  const name = `clove.key.${purpose}`;
  let key = tab.read(name);
  if (!key) {
    key = newKey();
    tab.write(name, key);
  }
  return key;
}

export function dropKey(purpose) {
  tab.drop(`clove.key.${purpose}`);
}

function newKey() {
  // randomUUID is there only on https and localhost.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
