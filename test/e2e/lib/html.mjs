// As much of HTML as a form-filling visitor without JavaScript needs.
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

export function decode(text) {
  return text.replace(/&(#x[0-9a-f]+|#[0-9]+|[a-z]+);/gi, (whole, name) => {
    if (/^#x/i.test(name)) return String.fromCodePoint(parseInt(name.slice(2), 16));
    if (name[0] === '#') return String.fromCodePoint(Number(name.slice(1)));
    return ENTITIES[name.toLowerCase()] ?? whole;
  });
}

function attributes(tag) {
  const found = {};
  const pattern = /([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g;
  for (const [, name, double, single, bare] of tag.matchAll(pattern)) {
    found[name.toLowerCase()] = decode(double ?? single ?? bare ?? '');
  }
  return found;
}

function* tags(html) {
  const clean = html.replace(/<!--[^]*?-->/g, '');
  for (const match of clean.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi)) {
    yield {
      closing: match[1] === '/',
      name: match[2].toLowerCase(),
      attr: attributes(match[3]),
      after: clean.slice(match.index + match[0].length),
    };
  }
}

/** What can be read and done on a page: {title, text, forms, links, refresh}. */
export function parsePage(html, url) {
  const page = { url, html, title: '', forms: [], links: [], refresh: null };
  page.title = decode(/<title[^>]*>([^]*?)<\/title>/i.exec(html)?.[1] ?? '').trim();
  page.text = decode(
    html.replace(/<(style|script|title)[^]*?<\/\1>/gi, ' ').replace(/<[^>]+>/g, ' '),
  ).replace(/\s+/g, ' ').trim();
  let form = null;
  for (const tag of tags(html)) {
    if (tag.name === 'form') {
      if (tag.closing) form = null;
      else page.forms.push((form = newForm(tag.attr, url)));
    } else if (tag.closing) continue;
    else if (tag.name === 'a' && tag.attr.href !== undefined) page.links.push(tag.attr.href);
    else if (tag.name === 'meta' && tag.attr['http-equiv']?.toLowerCase() === 'refresh') {
      page.refresh = refreshTarget(tag.attr.content ?? '');
    } else if (form) addControl(form, tag);
  }
  return page;
}

function newForm(attr, url) {
  return {
    action: new URL(attr.action ?? '', url).href,
    method: (attr.method ?? 'get').toUpperCase(),
    fields: [],
    buttons: [],
  };
}

function addControl(form, { name, attr, after }) {
  if (name === 'input') {
    const type = (attr.type ?? 'text').toLowerCase();
    if (type === 'submit') form.buttons.push({ name: attr.name, value: attr.value ?? '', text: attr.value ?? '' });
    else form.fields.push({ name: attr.name, type, value: attr.value ?? '', checked: 'checked' in attr });
  } else if (name === 'button') {
    const text = decode(after.slice(0, after.indexOf('</button')).replace(/<[^>]+>/g, ' ')).trim();
    form.buttons.push({ name: attr.name, value: attr.value ?? '', text });
  }
}

function refreshTarget(content) {
  const match = /^\s*\d+\s*;\s*url\s*=\s*(.*)$/i.exec(content);
  return match ? match[1].trim().replace(/^(['"])(.*)\1$/, '$2') : null;
}
