// The page works without this file. What it adds: "/" goes to the search, menus close with Escape, colours can be
// chosen, questions are asked before what cannot be undone, rows are chosen together, and typed input survives.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

  // "/" goes to the search box.
  document.addEventListener("keydown", (event) => {
    const search = document.getElementById("search");
    if (event.key === "/" && search && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  });

  // One open panel at a time; Escape closes it and gives the focus back.
  const panels = () => all("details[data-popover][open]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const panel of panels()) {
      const within = panel.contains(document.activeElement);
      panel.open = false;
      if (within) panel.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const panel of panels()) if (!panel.contains(event.target)) panel.open = false;
  });

  // Colours.
  const markTheme = () => {
    for (const button of all("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === window.misTheme.choice()));
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    window.misTheme.set(button.dataset.themeChoice);
    markTheme();
  });

  // Questions: <form data-confirm="…"> or <button data-confirm="…"> asks first.
  const ask = async (question) => {
    const dialog = document.getElementById("confirm");
    if (!dialog) return window.confirm(question);
    dialog.querySelector("[data-question]").textContent = question;
    dialog.returnValue = "no";
    dialog.showModal();
    await new Promise((resolve) => { dialog.addEventListener("close", resolve, { once: true }); });
    return dialog.returnValue === "yes";
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm || form.dataset.confirm;
    if (!question || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!await ask(question)) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(event.submitter);
    delete form.dataset.confirmed;
  }, true);

  // Rows chosen together.
  const rows = () => all('input[name="ids"][form="bulk"]');
  const countChosen = () => {
    const bulk = document.querySelector("[data-bulk]");
    if (!bulk) return;
    const chosen = rows().filter((row) => row.checked).length;
    const shown = bulk.querySelector("[data-chosen]");
    shown.hidden = chosen === 0;
    shown.querySelector("output").textContent = chosen.toLocaleString(document.documentElement.lang);
    for (const button of all("button", bulk)) button.disabled = chosen === 0;
    const every = document.querySelector("[data-choose-all]");
    every.checked = chosen > 0 && chosen === rows().length;
    every.indeterminate = chosen > 0 && chosen < rows().length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-all]")) for (const row of rows()) row.checked = event.target.checked;
    if (event.target.matches('[data-choose-all], input[name="ids"]')) countChosen();
  });

  // Typed input survives a session that ends while typing: it is kept in this tab, for this user, until the form
  // has been taken or the user signs out. Passwords, files and tokens are never kept.
  const KEEP = "draft:";
  const user = document.body.dataset.user || "";
  const kept = (form) => [...form.elements].filter((field) =>
    field.name && !["search", "password", "file", "hidden", "submit", "button"].includes(field.type) && !field.closest("[data-keep-not]"));
  const read = (form) => kept(form).map((field) =>
    ["checkbox", "radio"].includes(field.type) ? field.checked
      : field.multiple ? [...field.selectedOptions].map((option) => option.value) : field.value);
  const write = (form, values) => kept(form).forEach((field, index) => {
    const value = values[index];
    if (["checkbox", "radio"].includes(field.type)) field.checked = value;
    else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
  });
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
  const store = {
    get(key) { try { return JSON.parse(sessionStorage.getItem(KEEP + key)); } catch { return null; } },
    set(key, draft) { try { sessionStorage.setItem(KEEP + key, JSON.stringify(draft)); } catch { /* storage is full or closed */ } },
    drop(key) { try { sessionStorage.removeItem(KEEP + key); } catch { /* closed */ } },
  };
  const keepInput = (form) => {
    const key = form.dataset.keep;
    const offered = read(form);
    const names = kept(form).map((field) => field.name);
    const draft = store.get(key);
    // The server shows the form again with what was sent: then it knows better than the draft.
    const answered = document.querySelector(".error-summary");
    if (draft && !answered && draft.user === user && same(draft.names, names) && same(draft.offered, offered) && !same(draft.typed, offered)) {
      write(form, draft.typed);
      form.querySelector("[data-restored]")?.removeAttribute("hidden");
    } else if (draft && !answered) {
      store.drop(key);
    }
    const save = () => {
      const typed = read(form);
      if (same(typed, offered)) store.drop(key); else store.set(key, { user, names, offered, typed });
    };
    form.addEventListener("input", save);
    form.addEventListener("change", save);
    form.querySelector("[data-forget]")?.addEventListener("click", () => {
      write(form, offered);
      store.drop(key);
      form.querySelector("[data-restored]").hidden = true;
    });
  };
  // A form that was sent is taken, unless we stand at the sign-in, before a problem, or at its own errors.
  const forgetTaken = () => {
    const sent = sessionStorage.getItem("sent");
    sessionStorage.removeItem("sent");
    if (sent && !document.querySelector("body.bare, .problem, .error-summary")) store.drop(sent);
  };

  const start = () => {
    try { forgetTaken(); } catch { /* storage is closed */ }
    for (const set of all("[data-themes]")) set.hidden = false;
    markTheme();
    countChosen();
    for (const form of all("form[data-keep]")) {
      keepInput(form);
      form.addEventListener("submit", () => { try { sessionStorage.setItem("sent", form.dataset.keep); } catch { /* closed */ } });
    }
    document.querySelector("form[data-sign-out]")?.addEventListener("submit", () => {
      try { sessionStorage.clear(); } catch { /* closed */ }
    });
    document.querySelector(".error-summary")?.focus();
  };
  start();
})();
