'use strict';
(() => {
  const $ = (id) => document.getElementById(id);
  const objects = [...document.querySelectorAll('.o')].map((el) => ({ el, status: el.dataset.s, kind: el.dataset.k, text: null }));
  const tools = $('tools');
  const number = (n) => n.toLocaleString('en-US');
  const state = { words: [], status: '', kind: '' };

  // textOf is what a search looks at: all that the object shows.
  const textOf = (o) => (o.text ??= (o.el.textContent + ' ' + (o.el.dataset.p ?? '')).toLowerCase());
  const matches = (o) =>
    (!state.status || o.status === state.status) && (!state.kind || o.kind === state.kind) && state.words.every((w) => textOf(o).includes(w));

  const containers = [...document.querySelectorAll('.cause, .attention, .list, .rest, .portal')].map((el) => ({ el, own: [...el.querySelectorAll('.o')] }));
  const folds = [...document.querySelectorAll('details.rest')].map((el) => ({ el, open: el.open, own: [...el.querySelectorAll('.o')] }));
  // What is about the run and not about one object makes room for a search.
  const aside = [...document.querySelectorAll('#portals, #tally, .timeline, .groups, .plain, .portal > .meta, .portal > .more')];

  const show = () => {
    const filtered = Boolean(state.status || state.kind || state.words.length);
    let n = 0;
    for (const o of objects) {
      const visible = matches(o);
      if (o.el.hidden === visible) o.el.hidden = !visible;
      if (visible) n++;
    }
    for (const el of aside) el.hidden = filtered;
    for (const c of containers) {
      if (c.own.length || filtered) c.el.hidden = filtered && !c.own.some((o) => !o.hidden);
    }
    for (const f of folds) f.el.open = filtered ? f.own.some((o) => !o.hidden) : f.open;
    for (const b of document.querySelectorAll('#tiles button')) b.setAttribute('aria-pressed', String(b.dataset.s === state.status));
    for (const b of document.querySelectorAll('#kinds button')) b.setAttribute('aria-pressed', String((b.dataset.k ?? '') === state.kind));
    $('shown').textContent = filtered ? `${number(n)} of ${number(objects.length)}` : `${number(objects.length)} objects`;
    $('clear').hidden = !filtered;
    $('nothing').hidden = n > 0 || !filtered;
  };

  if (tools) {
    tools.hidden = false;
    const q = $('q');
    let timer;
    q.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        state.words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
        show();
      }, 80);
    });
    $('tiles')?.addEventListener('click', (event) => {
      const b = event.target.closest('button');
      if (!b) return;
      state.status = state.status === b.dataset.s ? '' : b.dataset.s;
      show();
    });
    const kinds = [...new Set(objects.map((o) => o.kind))].sort();
    if (kinds.length > 1) {
      for (const kind of ['', ...kinds]) {
        const b = document.createElement('button');
        b.type = 'button';
        b.textContent = kind ? kind + 's' : 'all';
        if (kind) b.dataset.k = kind;
        b.addEventListener('click', () => {
          state.kind = kind;
          show();
        });
        $('kinds').append(b);
      }
    }
    const clear = () => {
      Object.assign(state, { words: [], status: '', kind: '' });
      q.value = '';
      show();
    };
    $('clear').addEventListener('click', clear);
    document.addEventListener('keydown', (event) => {
      if (event.key === '/' && document.activeElement !== q) {
        event.preventDefault();
        q.focus();
      } else if (event.key === 'Escape') {
        clear();
      }
    });
    show();
  }

  // A click on a column's name sorts the table of portals by it.
  const table = $('portal-table');
  if (table) {
    const body = table.tBodies[0];
    const value = (row, i) => {
      const text = row.cells[i].textContent.trim();
      return /^\d+$/.test(text) ? Number(text) : text;
    };
    [...table.tHead.rows[0].cells].forEach((th, i) => {
      if (th.classList.contains('wide') || i === table.tHead.rows[0].cells.length - 1) return;
      const b = document.createElement('button');
      b.type = 'button';
      b.append(...th.childNodes);
      th.append(b);
      b.addEventListener('click', () => {
        const up = th.getAttribute('aria-sort') === (th.classList.contains('num') ? 'descending' : 'ascending');
        const direction = th.classList.contains('num') === up ? 1 : -1;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
        th.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
        const rows = [...body.rows].sort((a, c) => {
          const x = value(a, i), y = value(c, i);
          return direction * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)));
        });
        body.append(...rows);
      });
    });
  }
})();
