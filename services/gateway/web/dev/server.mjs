// Development only: serves dist under the real policy with a pretend gateway. Not kept.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { randomUUID, randomBytes } from "node:crypto";
const port = Number(process.env.PORT ?? 5199);
const origin = `http://localhost:${port}`;
const delay = { ms: 0 };
let faults = {};
let brand = { name: "Countersign", logo_url: null, accent: null };
const attempts = new Map(), sessions = new Map(), users = new Map();
let ttl = 600, cool = 30;
const iso = (ms) => new Date(ms).toISOString();
const mask = (a) => a[0] + "***@" + a.split("@")[1];
const view = (a) => ({ id: a.id, kind: a.kind, status: a.status, methods: ["EMAIL_OTP"], method: "EMAIL_OTP", delivery: { channel: "email", destination: mask(a.email) }, attempts_left: a.left, resend_at: iso(a.resend), expires_at: iso(a.expires), sdk: a.kind === "sign_in" ? { token: "t", tenant_id: "ten", base_url: origin + "/as/v1" } : null });
const type = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", woff2: "font/woff2", html: "text/html" };
createServer(async (req, res) => {
  const url = new URL(req.url, origin);
  let raw = ""; for await (const c of req) raw += c;
  const body = raw ? JSON.parse(raw) : {};
  const send = (status, data, headers = {}) => { res.writeHead(status, { "content-type": status >= 400 ? "application/problem+json" : "application/json", "cache-control": "no-store", ...headers }); res.end(status === 204 ? undefined : JSON.stringify(data)); };
  const problem = (status, code, more = {}) => send(status, { type: "about:blank", title: code, status, detail: "", code, request_id: "r1", ...more });
  if (url.pathname === "/_ctl") { if (body.delay !== undefined) delay.ms = body.delay; if (body.faults) faults = body.faults; if (body.brand) brand = { ...brand, ...body.brand }; if (body.ttl) ttl = body.ttl; if (body.cool !== undefined) cool = body.cool; if (body.age) for (const a of attempts.values()) a.resend = Date.now() - 1; if (body.status) for (const a of attempts.values()) a.status = body.status; return send(200, {}); }
  const api = url.pathname.startsWith("/v1/");
  if (api && delay.ms) await new Promise((r) => setTimeout(r, delay.ms));
  const f = faults[`${req.method} ${url.pathname.replace(/attempts\/[^/]+/, "attempts/ID")}`];
  if (f) return problem(f.status, f.code, f.more ?? {});
  const sid = /sid=([^;]+)/.exec(req.headers.cookie ?? "")?.[1];
  const session = sessions.get(sid);
  const start = (kind, email) => { const a = { id: "att_" + randomUUID(), kind, email, status: "challenge_required", left: 5, resend: Date.now() + cool * 1000, expires: Date.now() + ttl * 1000, name: body.display_name }; attempts.set(a.id, a); return a; };
  const open = (a) => { const s = { id: "ses_" + randomBytes(9).toString("base64url"), subject: { sub: randomUUID(), email: a.email, display_name: a.name ?? null }, groups: [], methods: ["EMAIL_OTP"], authenticated_at: iso(Date.now() - 130e3), last_seen_at: iso(Date.now()), expires_at: iso(Date.now() + 43200e3), idle_expires_at: iso(Date.now() + 1800e3) }; sessions.set(s.id, s); a.status = "completed"; send(200, s, { "set-cookie": `sid=${s.id}; Path=/; HttpOnly` }); };
  const p = url.pathname, m = req.method;
  if (p === "/v1/config") return send(200, { brand, methods: ["EMAIL_OTP"], authsignal: { tenant_id: "ten", base_url: origin + "/as/v1" }, features: { sdk_sign_in: true }, dev_inbox_url: "http://localhost:8025/" });
  if (p === "/v1/session") { if (!session) return problem(401, "session_required"); if (m === "DELETE") { sessions.delete(sid); return send(204); } return send(200, session); }
  if (p === "/v1/me") { if (!session) return problem(401, "session_required"); if (m === "PATCH") { session.subject.display_name = body.display_name; } const s = session.subject; return send(200, { sub: s.sub, email: s.email, email_verified: true, display_name: s.display_name, created_at: iso(Date.now() - 86400e3 * 40) }); }
  if (p === "/v1/sign-ins" && m === "POST") return send(202, view(start("sign_in", body.identifier)));
  if (p === "/v1/sign-ups" && m === "POST") return send(202, view(start("sign_up", body.email)));
  const am = /^\/v1\/attempts\/([^/]+)(\/\w+)?$/.exec(p);
  if (am) {
    const a = attempts.get(am[1]); if (!a) return problem(404, "not_found");
    if (!am[2]) { if (m === "DELETE") { attempts.delete(a.id); return send(204); } return send(200, view(a)); }
    if (am[2] === "/challenges") { if (Date.now() < a.resend) return problem(429, "too_many_attempts", { resend_at: iso(a.resend), retry_after: 9 }); a.resend = Date.now() + cool * 1000; return send(202, view(a)); }
    if (am[2] === "/verifications") { if (body.code === "123456") return open(a); a.left -= 1; if (a.left <= 0) { a.status = "failed"; return problem(401, "attempt_failed"); } return problem(401, "invalid_code", { attempts_left: a.left }); }
    if (am[2] === "/completions") return open(a);
  }
  if (p.startsWith("/as/v1/client")) { if (p.includes("/verify/")) return send(200, body.verificationCode === "123456" ? { isVerified: true, accessToken: "tok" } : { isVerified: false, failureReason: "CODE_INVALID_OR_EXPIRED" }); return send(200, { challengeId: "c" }); }
  if (p.startsWith("/assets/")) { try { const data = await readFile(new URL("../dist" + p, import.meta.url)); res.writeHead(200, { "content-type": type[p.split(".").pop()] ?? "application/octet-stream" }); return res.end(data); } catch { return problem(404, "not_found"); } }
  const nonce = randomBytes(16).toString("base64url");
  const html = (await readFile(new URL("../dist/index.html", import.meta.url), "utf8")).replaceAll("__CSP_NONCE__", nonce);
  res.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self' http://localhost:8100; base-uri 'none'; frame-ancestors 'none'; form-action 'self'` });
  res.end(html);
}).listen(port, "127.0.0.1");
