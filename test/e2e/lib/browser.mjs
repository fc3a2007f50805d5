// A visitor with cookies and without JavaScript: follows redirects within the server's origin, fills
// in forms, and stops where the browser would leave for the client.
import { parsePage } from './html.mjs';

const APPROVE = /^(approve|allow|accept|yes|grant|continue)/i;
const DENY = /^(deny|decline|reject|no|cancel|refuse)/i;
const HOPS_MAX = 10;

export class Browser {
  /** origin: where cookies are kept and redirects are followed. */
  constructor(origin, { headers = {}, fetch: fetchFn = fetch } = {}) {
    this.origin = origin;
    this.headers = headers;
    this.fetch = fetchFn;
    this.cookies = new Map();
    this.setCookies = [];
    this.hops = [];
  }

  cookieHeader() {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  keep(setCookie) {
    this.setCookies.push(setCookie);
    const [pair, ...rest] = setCookie.split(';');
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    const gone = rest.some((part) => /^\s*max-age\s*=\s*(0|-\d+)\s*$/i.test(part));
    if (gone) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(at + 1).trim());
  }

  /** One request; remembers cookies; follows nothing. */
  async request(method, url, { body, headers = {} } = {}) {
    const all = { accept: 'text/html', ...this.headers, ...headers };
    if (this.cookies.size) all.cookie = this.cookieHeader();
    if (method === 'POST') {
      all.origin ??= this.origin;
      all['content-type'] ??= 'application/x-www-form-urlencoded';
    }
    const response = await this.fetch(url, { method, body, headers: all, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) this.keep(cookie);
    const text = await response.text();
    this.hops.push({ method, url: String(url), status: response.status, headers: response.headers, body: text });
    return { status: response.status, headers: response.headers, text, url: String(url) };
  }

  /** Goes there as a click would. {page, status, headers} or {left: URL} when it leads to the client. */
  async go(method, url, options) {
    let answer = await this.request(method, url, options);
    for (let hop = 0; hop < HOPS_MAX; hop++) {
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status > 399 || !location) return this.arrived(answer);
      const next = new URL(location, answer.url);
      if (next.origin !== new URL(this.origin).origin) {
        return { left: next, raw: location, status: answer.status, headers: answer.headers };
      }
      const again = answer.status === 307 || answer.status === 308;
      answer = await this.request(again ? method : 'GET', next, again ? options : {});
    }
    throw new Error(`more than ${HOPS_MAX} redirects from ${url}`);
  }

  arrived(answer) {
    const page = parsePage(answer.text, answer.url);
    const result = { page, status: answer.status, headers: answer.headers, text: answer.text, url: answer.url };
    // A self-navigating page leads on just as a redirect does.
    if (page.refresh) {
      const next = new URL(page.refresh, answer.url);
      if (next.origin !== new URL(this.origin).origin) return { ...result, left: next, raw: page.refresh };
    }
    return result;
  }

  get(url) {
    return this.go('GET', url);
  }

  /** Submits a form with values for its fields, pressing one of its buttons. */
  submit(form, values = {}, button = null, options = {}) {
    const body = new URLSearchParams();
    for (const field of form.fields) {
      if ((field.type === 'checkbox' || field.type === 'radio') && !field.checked) continue;
      if (field.name) body.append(field.name, values[field.name] ?? field.value);
    }
    if (button?.name) body.append(button.name, button.value);
    if (form.method === 'GET') return this.get(`${form.action.split('?')[0]}?${body}`);
    return this.go('POST', form.action, { body: String(body), ...options });
  }

  login(page, user, password) {
    const form = loginForm(page);
    const name = form.fields.find((f) => f.type === 'text' || f.type === 'email').name;
    const secret = form.fields.find((f) => f.type === 'password').name;
    return this.submit(form, { [name]: user, [secret]: password });
  }

  decide(page, approve = true) {
    const { form, button } = consentForm(page, approve);
    return this.submit(form, {}, button);
  }

  /** The whole way from an authorization URL to the client's redirect URI. */
  async authorize(url, { user = 'alice', password, approve = true } = {}) {
    let at = await this.get(url);
    for (let step = 0; step < 5 && !at.left; step++) {
      if (loginForm(at.page)) at = await this.login(at.page, user, password);
      else if (consentForm(at.page, approve)) at = await this.decide(at.page, approve);
      else break;
    }
    if (!at.left) {
      const error = new Error(`stopped at ${at.status} "${at.page.title}": ${at.page.text.slice(0, 500)}`);
      throw Object.assign(error, { at });
    }
    return at.left;
  }
}

export function loginForm(page) {
  return page?.forms.find((form) => form.fields.some((field) => field.type === 'password'));
}

/** {form, button} for the answer to a consent page, or undefined where the page asks nothing. */
export function consentForm(page, approve = true) {
  const wanted = approve ? APPROVE : DENY;
  for (const form of page?.forms ?? []) {
    if (form.fields.some((field) => field.type === 'password')) continue;
    if (new URL(form.action).pathname === '/login/elsewhere') continue; // on to a provider, not to the client
    const button = form.buttons.find((b) => wanted.test(b.value) || wanted.test(b.text));
    if (button) return { form, button };
  }
  return undefined;
}
