// Ticket codes: the format is described in the ticket service's `codes` module.

const SIGNATURE_BYTES = 64;

const bytesOf = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/") + "=".repeat((4 - (text.length % 4)) % 4));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
};

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What CODE says, unverified; null when it is no code. `issuedAt`, in ms, is in its ticket's id (RFC 9562, 5.7), by the server's clock. */
export function read(code) {
  try {
    const raw = bytesOf(code.trim());
    const payload = raw.slice(0, -SIGNATURE_BYTES);
    if (payload[0] !== 1) return null;
    const id = hex(payload.slice(9, 25));
    const fields = [];
    for (let at = 25; at < payload.length; at += 1 + payload[at]) {
      fields.push(new TextDecoder("utf-8", { fatal: true }).decode(payload.slice(at + 1, at + 1 + payload[at])));
    }
    const [system, performance, place] = fields;
    if (place === undefined) return null;
    const ticket = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    const issuedAt = id[12] === "7" ? Number.parseInt(id.slice(0, 12), 16) : null;
    return { ticket, issuedAt, system, performance, place, key: hex(payload.slice(1, 9)), payload, signature: raw.slice(-SIGNATURE_BYTES) };
  } catch {
    return null;
  }
}

/** Whether SEEN was signed by one of KEYS (JWKs with `key_id`); null when this browser cannot tell: it may be a newer key than those. */
export async function isSigned(seen, keys) {
  const key = keys.find((each) => each.key_id === seen.key);
  if (!key) return null;
  try {
    const imported = await crypto.subtle.importKey("raw", bytesOf(key.x), { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, seen.signature, seen.payload);
  } catch {
    return null;
  }
}
